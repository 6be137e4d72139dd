/**
 * The tables of a Markdown text, each cell with its place: so that a review shows them as tables, a diff as
 * lines, and an error can point at what it means. All else is prose. A line of a table begins and ends with |.
 */

/** Both count from 1, as editors do. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface Cell extends Place {
  readonly text: string
}

export interface PipeTable {
  readonly header: readonly Cell[]
  readonly rows: readonly (readonly Cell[])[]
}

/** What is wrong with a text, and where. */
export interface Problem extends Place {
  readonly message: string
}

export interface PipeTables {
  readonly tables: readonly PipeTable[]
  readonly problems: readonly Problem[]
}

interface Line {
  readonly number: number
  readonly text: string
}

export function pipeTables(text: string): PipeTables {
  const problems: Problem[] = []
  const tables = blocksOf(text, problems).flatMap((lines) => tableOf(lines, problems))
  return { tables, problems }
}

/** Runs of lines that begin with |, outside of fences. */
function blocksOf(text: string, problems: Problem[]): readonly (readonly Line[])[] {
  const blocks: Line[][] = []
  let isFenced = false
  let open: Line[] | undefined
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(```|~~~)/.test(line)) isFenced = !isFenced
    const isRow = !isFenced && /^\s*\|/.test(line)
    if (!isRow) open = undefined
    else if (open === undefined) blocks.push((open = [{ number: index + 1, text: line }]))
    else open.push({ number: index + 1, text: line })
    // Markdown would show it as a table, and what is shown must be tested.
    if (!isRow && !isFenced && /^\s*:?-+:?\s*\|/.test(line)) problems.push({ line: index + 1, column: 1, message: 'every line of a table begins with |' })
  }
  return blocks
}

function tableOf([head, rule, ...rest]: readonly Line[], problems: Problem[]): readonly PipeTable[] {
  if (head === undefined) return []
  const header = cellsOf(head, problems)
  if (rule === undefined || !/^\s*\|(\s*:?-+:?\s*\|)+\s*$/.test(rule.text)) {
    problems.push({ line: head.number + 1, column: 1, message: 'a line of dashes follows the names of the columns: | --- | --- |' })
    return []
  }
  const rows = rest.map((line) => {
    const cells = cellsOf(line, problems)
    if (cells.length !== header.length && isEnded(line))
      problems.push({ line: line.number, column: 1, message: `this line has ${cells.length} cells, and its table ${header.length} columns` })
    return cells
  })
  return [{ header, rows }]
}

function isEnded({ text }: Line): boolean {
  return /\|\s*$/.test(text)
}

function cellsOf({ number, text }: Line, problems: Problem[]): readonly Cell[] {
  if (!isEnded({ number, text })) problems.push({ line: number, column: text.length + 1, message: 'a line of a table ends with |' })
  const cells: Cell[] = []
  let start = text.indexOf('|') + 1
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '|') {
      cells.push(cellAt(number, start, text.slice(start, at)))
      start = at + 1
    }
  }
  return cells
}

/** Without the blanks around it, and the ticks that show it as code. */
function cellAt(line: number, start: number, raw: string): Cell {
  const trimmed = raw.trim()
  const ticked = /^`([^`]+)`$/.exec(trimmed)
  const blanks = raw.length - raw.trimStart().length
  return { line, column: start + blanks + (ticked === null ? 1 : 2), text: (ticked?.[1] ?? trimmed).replaceAll('\\|', '|') }
}
