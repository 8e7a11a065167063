/** Does, in plain Node, what a module step does with the file that it is given, and prints how it ended as JSON. */
import { pathToFileURL } from 'node:url';

async function ending(file) {
  try {
    const { default: given } = await import(pathToFileURL(file).href);
    const main = given?.default ?? given;
    const { output = null } = (await main()) ?? {};
    return { output };
  } catch (error) {
    const { name, code, message } = error;
    return { error: [name, code, message].filter(Boolean).join(' ') };
  }
}

console.log(JSON.stringify(await ending(process.argv[2])));
