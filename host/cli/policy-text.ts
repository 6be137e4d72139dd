/** What a test of policies found, for people: what does not hold with its place, and one line for what does. */
import { leaksByPlace } from '../policy-test/test-policies.ts'
import type { PolicyReport } from '../policy-test/test-policies.ts'
import type { Leak } from '../policy-test/isolation.ts'
import { answerCharactersMax, leaksShownMax } from './limits.ts'
import { counted } from './replay-text.ts'

/** `file` is that of the cases; undefined when there is none. */
export function policyLines(report: PolicyReport, file: string | undefined): readonly string[] {
  const { module, cases, isolation, notShown, failed } = report
  const broken = cases.filter(({ holds }) => !holds)
  const leaks = leaksByPlace(isolation)
  const isolated = isolation.tables.filter((table) => !leaks.has(table))
  return [
    ...broken.flatMap(({ line, column, person, what, expected, found }) => [
      `${file}:${line}:${column} ${person}: ${what}`,
      `  expected ${expected}, found ${found}`,
    ]),
    ...notShown.map(({ line, column, message }) => `${file}:${line}:${column} ${message}`),
    ...[...leaks].flatMap(([about, some]) => leakLines(about, some)),
    ...isolation.notes.map((note) => `note: ${note}`),
    `isolation  ${isolated.length === isolation.tables.length ? `holds in ${isolation.tables.join(', ')}` : `holds in ${isolated.join(', ') || 'no table'}, not in ${[...leaks.keys()].join(', ')}`}: ${counted(isolation.questions, 'question')}`,
    file === undefined ? `cases      none: write who sees what into policies.test.md` : `cases      ${cases.length - broken.length} of ${cases.length} hold`,
    `${module}: ${failed === 0 ? 'passed' : `${failed} failed`}`,
  ]
}

function leakLines(about: string, leaks: readonly Leak[]): readonly string[] {
  const channels = [...new Set(leaks.map(({ channel }) => channel))].join(', ')
  const shown = leaks.slice(0, leaksShownMax)
  return [
    `${about}: somebody who has nothing to do with another learns of their rows, by ${channels}`,
    ...shown.flatMap((leak) => [`  ${leak.what}`, ...differenceLines(leak)]),
    ...(leaks.length > shown.length ? [`  … and by ${counted(leaks.length - shown.length, 'more question')}: --json has all of them`] : []),
  ]
}

/** From where the two differ on. */
function differenceLines(leak: Leak): readonly string[] {
  const [before, after] = [leak.without, leak.with]
  if (before === after) return [`    is let through: ${cut(after)}`]
  let same = 0
  while (same < before.length && before[same] === after[same]) same++
  const start = Math.max(0, same - 20)
  const head = start === 0 ? '' : '…'
  return [`    without them  ${head}${cut(before.slice(start))}`, `    with them     ${head}${cut(after.slice(start))}`]
}

function cut(text: string): string {
  return text.length <= answerCharactersMax ? text : `${text.slice(0, answerCharactersMax - 1)}…`
}
