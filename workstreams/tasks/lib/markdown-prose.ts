/** What a person would read aloud of a Markdown text: without code, HTML, link targets, tables and markup. */
export function markdownProse(markdown: string): string {
  return markdown
    .replaceAll(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1[^\n]*$/gm, '')
    .replaceAll(/<!--[\s\S]*?-->|<[^<>]+>/g, ' ')
    .replaceAll(/^(?: {4}|\t|\s*\|)[^\n]*$/gm, '')
    .replaceAll(/`[^`\n]*`/g, ' ')
    .replaceAll(/^\s*\[[^\]\n]+\]:[^\n]*$/gm, '')
    .replaceAll(/!?\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\])/g, '$1')
    .replaceAll(/https?:\/\/\S+/g, ' ')
    .replaceAll(/[*_#>]+/g, ' ');
}
