/** Names that somebody who mistyped one may have meant. */

const namesMax = 3
/** Letters that may be wrong: with more, 500 long names would take the main thread 20 ms a request. */
const distanceMax = 3

/** At most three of `candidates`, the nearest first. Case and underscores do not count: `rememberTurn` is `remember_turn`. */
export function nearNames(name: string, candidates: readonly string[]): string[] {
  const wanted = plain(name.slice(0, 64))
  const farthest = Math.min(distanceMax, Math.max(1, Math.floor(wanted.length / 3)))
  return candidates
    .map((candidate) => ({ candidate, distance: distanceUpTo(farthest, wanted, plain(candidate)) }))
    .filter(({ distance }) => distance <= farthest)
    .sort((left, right) => left.distance - right.distance)
    .slice(0, namesMax)
    .map(({ candidate }) => candidate)
}

function plain(name: string): string {
  return name.replaceAll('_', '').toLowerCase()
}

/** Levenshtein's distance, one row at a time; Infinity when it is more than `farthest`. */
function distanceUpTo(farthest: number, left: string, right: string): number {
  if (Math.abs(left.length - right.length) > farthest) return Infinity
  let above = Array.from({ length: right.length + 1 }, (_, index) => index)
  let current = [...above]
  for (let row = 1; row <= left.length; row++) {
    if (nextRow({ farthest, row, letter: left.charCodeAt(row - 1), right, above, current }) > farthest) return Infinity
    ;[above, current] = [current, above]
  }
  return at(above, right.length)
}

interface Row {
  readonly farthest: number
  readonly row: number
  readonly letter: number
  readonly right: string
  readonly above: readonly number[]
  readonly current: number[]
}

/** Fills in the cells that are near the diagonal, and gives the least of them: no other can lead to a near name. */
function nextRow({ farthest, row, letter, right, above, current }: Row): number {
  const from = Math.max(1, row - farthest)
  const to = Math.min(right.length, row + farthest)
  current[from - 1] = from === 1 ? row : Infinity
  let least = at(current, from - 1)
  for (let column = from; column <= to; column++) {
    const replaced = at(above, column - 1) + (letter === right.charCodeAt(column - 1) ? 0 : 1)
    const cell = Math.min(replaced, at(above, column) + 1, at(current, column - 1) + 1)
    current[column] = cell
    least = Math.min(least, cell)
  }
  if (to < right.length) current[to + 1] = Infinity
  return least
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
