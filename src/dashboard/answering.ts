/** The process that answers what takes long to find out: see `answers.ts`, which starts it. */
import { idOfRun } from '../app/history.ts';
import { Refusal } from '../app/refusal.ts';
import { WatchedDatabase } from '../store/read/live/watched-database.ts';
import { type AnsweredQuestion, type AskedQuestion, askedSchema, type Question } from './answers.ts';
import { documentPieces, headOf } from './documents.ts';
import { connectionOf, failureOf } from './failure.ts';
import { Histories } from './histories.ts';

/** Answers until the channel to the process that asks is closed. @param path of the database. */
export async function answerQuestions(path: string): Promise<void> {
  const database = new WatchedDatabase(path);
  const histories = new Histories();
  const answered = async ({ number, question }: AskedQuestion): Promise<AnsweredQuestion> => {
    try {
      const json = Buffer.from(await answerTo(question, database, histories));
      return { number, json, failure: null };
    } catch (error) {
      return { number, json: null, failure: failureOf(error) };
    }
  };
  const answer = async (message: unknown): Promise<void> => {
    const reply = await answered(askedSchema.parse(message));
    if (process.connected) process.send?.(reply);
  };
  process.on('message', (message) => void answer(message));
  await new Promise<void>((resolve) => process.once('disconnect', resolve));
  database.close();
}

/** JSON of the answer. */
async function answerTo(
  question: Question,
  database: WatchedDatabase,
  histories: Histories,
): Promise<string> {
  const connection = connectionOf(database);
  switch (question.kind) {
    case 'patterns':
      return JSON.stringify(histories.patterns(connection));
    case 'pattern':
      return JSON.stringify(histories.pattern(connection, question.id));
    case 'trends':
      return JSON.stringify(histories.trends(connection));
    case 'tools':
      return JSON.stringify(histories.tools(connection));
    case 'workstreams':
      return JSON.stringify(histories.workstreams(connection, question));
    case 'workstream': {
      const runId = question.run === null ? null : idOfRun(connection, question.run);
      return JSON.stringify(histories.workstream(connection, { id: question.id, runId }));
    }
    case 'document': {
      const pieces = await documentPieces(connection, question.runId, database.path);
      if (pieces === null) throw new Refusal(4, `There is no run ${question.runId}.`);
      return pieces.join('');
    }
    case 'head': {
      const { runId, shown } = question;
      return JSON.stringify(headOf(connection, runId, { database: database.path, shown }));
    }
  }
}
