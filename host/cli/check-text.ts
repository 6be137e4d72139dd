/** What a check found, for people: one paragraph for each thing, with what can be done. */
import type { CheckReport } from '../history/check.ts'
import type { Finding } from '../history/finding.ts'
import { sizeText } from './grant-text.ts'
import { counted } from './replay-text.ts'

export function checkLines({ findings, notes, leftOut, looked }: CheckReport): readonly string[] {
  const { segments, logBytes, databases, snapshots, states } = looked
  const seen = [
    `${counted(segments, 'segment')} of the log (${sizeText(logBytes)})`,
    counted(databases, 'database'),
    counted(snapshots, 'snapshot'),
    ...(states === 0 ? [] : [counted(states, 'state file')]),
  ]
  return [
    ...findings.flatMap(findingLines),
    ...wrapped('', `${verdict(findings.length)}: ${seen.join(', ')}`),
    ...notes.flatMap((note) => wrapped('  ', note)),
    ...leftOut.flatMap((what) => wrapped('  ', `left out: ${what}`)),
  ]
}

function verdict(count: number): string {
  if (count === 0) return 'sound'
  return count === 1 ? '1 thing not as it should be' : `${count.toLocaleString('en')} things not as they should be`
}

function findingLines({ file, offset, sequences, database, what, todo }: Finding): readonly string[] {
  const where = [
    file,
    ...(offset === null ? [] : [`offset ${offset.toLocaleString('en')}`]),
    ...(sequences === null ? [] : [sequences[0] === sequences[1] ? `sequence ${sequences[0]}` : `sequences ${sequences[0]} to ${sequences[1]}`]),
    ...(database === null ? [] : [`database ${database}`]),
  ]
  return [where.join(', '), ...wrapped('  ', what), ...wrapped('  → ', todo), '']
}

/** Lines of 80 columns; the first one begins with `head`, the others below what follows it. */
function wrapped(head: string, text: string): readonly string[] {
  const lines: string[] = []
  let line = head
  for (const word of text.split(' ')) {
    if (line.length > head.length && line.length + word.length >= columns) {
      lines.push(line.trimEnd())
      line = ' '.repeat(head.length)
    }
    line += `${word} `
  }
  return [...lines, line.trimEnd()]
}

const columns = 80
