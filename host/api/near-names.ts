/** Names that somebody who mistyped one may have meant. */

const namesMax = 3

/** At most three of `candidates`, the nearest first. Case and underscores do not count: `rememberTurn` is `remember_turn`. */
export function nearNames(name: string, candidates: readonly string[]): string[] {
  const wanted = plain(name).slice(0, 64)
  const farthest = Math.max(1, Math.floor(wanted.length / 3))
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

function distanceUpTo(farthest: number, left: string, right: string): number {
  return Math.abs(left.length - right.length) > farthest ? Infinity : editDistance(left, right)
}

/** Levenshtein's distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const replaced = at(above, column - 1) + (left[row - 1] === right[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, at(above, column) + 1, at(current, column - 1) + 1))
    }
    above = current
  }
  return at(above, right.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
