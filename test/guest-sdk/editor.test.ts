/** What an editor shows of a module: TypeScript's own compiler stands in for it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import { projectFiles } from '../../host/cli/new/project-files.ts'
import { IMPORTS, ModuleFolder } from './module-fixture.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc')

/** What TypeScript cannot know of AssemblyScript: decorators on functions, and constructors that a transform makes. */
const BEYOND_TYPESCRIPT = new Set(['TS1206', 'TS2554'])

function tsc(project: string, ...flags: string[]): string[] {
  try {
    execFileSync(process.execPath, [TSC, '--noEmit', '--pretty', 'false', '-p', project, ...flags], { encoding: 'utf8' })
    return []
  } catch (error) {
    assert(error instanceof Error && 'stdout' in error, String(error))
    return String(error.stdout).trim().split('\n')
  }
}

/** What TypeScript would find if it were asked to check, in files that end in `file`. */
function unknownIn(project: string, file = ''): string[] {
  const lines = tsc(project, '--noCheck', 'false').filter((line) => line.includes(`${file}(`))
  return lines.filter((line) => !BEYOND_TYPESCRIPT.has(/TS\d+/.exec(line)?.[0] ?? ''))
}

test('the modules of this repository are not red in an editor', () => {
  assert.deepEqual(tsc(path.join(ROOT, 'modules')), [])
})

test('the editor knows every name and type of these modules', () => {
  assert.deepEqual(unknownIn(path.join(ROOT, 'modules')), [])
})

const EVERYTHING = `${IMPORTS}
import { Assurance, Column, Level, Selection } from "remembrancer/guest-sdk";

@table("turns") @readableByPolicies @policy("update", "true", { in: ["begin"], restrictive: true, check: "score > 0" }) @clustered("at") @index("role", "at") @unique("role", "score", { global: true })
class Turn {
  @autoIncrement id: u64;
  @owner caller: Identity;
  @index role: string;
  @unique at: Timestamp;
  @unique({ global: true }) note: string | null;
  score: u32 = 0;
  rank: Nullable<u8>;
  extra: Json | null;
}
@record class Found { turns: Turn[]; best: Turn | null; }

@init export function begin(ctx: Context, turns: Appender<Turn>): void { ctx.log("begun", Level.Debug); }
@hook export function ended(ctx: Context): void {}
@query export function find(ctx: Context, turns: Reader<Turn>, since: Timestamp): Turn[] {
  if (ctx.assurance < Assurance.Provider) return ctx.fail<Turn[]>("who are you?");
  const recent: Selection<Turn> = turns.where.role.is("agent").and.at.from(since);
  const scores: Column<Turn, u32> = turns.where.score;
  if (scores.between(1, 5).count() > 3 && turns.where.rank.isNull().first() == null) return recent.newest(3);
  return recent.and.at.before(ctx.timestamp).latest(20);
}
@reducer export function change(ctx: Context, turns: Writer<Turn>, id: u64, note: string | null): bool {
  const turn = turns.get(id);
  if (turn === null || ctx.random() < 0.5) return false;
  turn.note = ctx.claim("role") === null ? note : ctx.channel;
  turn.at = turn.at.plus(Timestamp.second);
  return turns.update(turn) || turns.deleteOf(turn.caller, id);
}
`

test('a project that was just made is not red, and its types are known', () => {
  using folder = new ModuleFolder(Object.fromEntries(projectFiles({ name: 'my-agent', packageSpec: '*' })))
  mkdirSync(path.join(folder.path, 'node_modules'))
  symlinkSync(ROOT, path.join(folder.path, 'node_modules/remembrancer'), 'dir')
  assert.deepEqual(tsc(folder.path), [])
  assert.deepEqual(unknownIn(folder.path, 'index.ts'), [])
})

test('a module in an author’s own folder is not red, and its types are known', () => {
  using folder = new ModuleFolder({
    'index.ts': EVERYTHING,
    'tsconfig.json': JSON.stringify({ extends: path.join(ROOT, 'guest-sdk/tsconfig.json'), include: ['*.ts'] }),
  })
  assert.deepEqual(tsc(folder.path), [])
  assert.deepEqual(unknownIn(folder.path), [])
})

test('the editor sees a wrong column and a wrong value', () => {
  using folder = new ModuleFolder({
    'index.ts': `${EVERYTHING}\nfunction wrong(turns: Reader<Turn>): void {\n  turns.where.rule.is("x");\n  turns.where.role.is(7);\n}`,
    'tsconfig.json': JSON.stringify({ extends: path.join(ROOT, 'guest-sdk/tsconfig.json'), include: ['*.ts'] }),
  })
  const lines = unknownIn(folder.path)
  assert.deepEqual(
    lines.map((line) => /TS\d+/.exec(line)?.[0]),
    ['TS2339', 'TS2345'],
  )
})
