/**
 * PostgreSQL's own parser, which libpg-query has compiled to WebAssembly: a text becomes the one statement
 * that it holds. Its size is bounded first. An instance that crashed is thrown away, and the next one made
 * while nobody waits for it.
 */
import type { Node } from 'libpg-query'
import type { ParserModule } from 'libpg-query/wasm/libpg-query.js'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { placeOf, StatementError } from './statement-error.ts'

let parser: ParserModule | undefined
let loading: Promise<void> | undefined

/** Must have resolved before `parseStatement`; loads the parser at its first call, which takes some 50 ms. */
export function loadParser(): Promise<void> {
  loading ??= load()
  return loading
}

export function isParserLoaded(): boolean {
  return parser !== undefined
}

async function load(): Promise<void> {
  const { default: createParser } = await import('libpg-query/wasm/libpg-query.js')
  parser = await createParser()
}

/** @throws StatementError ERR_SQL_SYNTAX, HostError ERR_BUSY while a crashed parser is made anew. */
export function parseStatement(text: string): Node {
  refuseText(text)
  // Of nothing but comments there is no tree at all.
  const tree: unknown = JSON.parse(parse(text) || '{}')
  const [first, ...more] = (tree as { stmts?: readonly { stmt?: Node; stmt_location?: number }[] }).stmts ?? []
  if (first?.stmt === undefined) throw new StatementError('ERR_SQL_SYNTAX', 'there is no statement: write a SELECT')
  if (more.length > 0) throw new StatementError('ERR_SQL_UNSUPPORTED', 'one statement at a time: send each by itself', more[0]?.stmt_location)
  return first.stmt
}

function refuseText(text: string): void {
  if (Buffer.byteLength(text) > limits.sqlTextBytesMax) {
    throw new StatementError('ERR_SQL_SYNTAX', `a statement has at most ${limits.sqlTextBytesMax} bytes: give values as parameters`)
  }
  if (!text.isWellFormed()) throw new StatementError('ERR_SQL_SYNTAX', 'a statement has no lone surrogates')
  const nul = text.indexOf('\0')
  // The parser would take it for the end.
  if (nul >= 0) throw new StatementError('ERR_SQL_SYNTAX', 'a statement has no U+0000', Buffer.byteLength(text.slice(0, nul)))
}

/** The tree as JSON. */
function parse(text: string): string {
  if (parser === undefined) throw new HostError('ERR_BUSY', 'the SQL parser is being loaded: try again')
  try {
    return parseWith(parser, text)
  } catch (error) {
    if (error instanceof StatementError) throw error
    // What it had in its memory is not to be relied on.
    parser = undefined
    loading = load()
    throw new StatementError('ERR_SQL_SYNTAX', 'the parser failed at this statement: write it simpler')
  }
}

/** Reads PgQueryParseResult { tree, stderr, error } and PgQueryError { message, function, file, line, cursor, context }. */
function parseWith(module: ParserModule, text: string): string {
  const size = module.lengthBytesUTF8(text) + 1
  const pointer = module._malloc(size)
  module.stringToUTF8(text, pointer, size)
  const result = module._wasm_parse_query_raw(pointer)
  try {
    const error = module.getValue(result + 8, 'i32')
    if (error === 0) return module.UTF8ToString(module.getValue(result, 'i32'))
    const message = module.UTF8ToString(module.getValue(error, 'i32'))
    // It counts characters from 1; places in a tree are bytes.
    const characters = module.getValue(error + 16, 'i32') - 1
    throw new StatementError('ERR_SQL_SYNTAX', message, characters < 0 ? undefined : placeOf(text, characters))
  } finally {
    module._free(pointer)
    module._wasm_free_parse_result(result)
  }
}
