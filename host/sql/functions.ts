/** The functions that a statement may call, by PostgreSQL's names. What is not here is refused by name. */
import type { ValueFunction } from '../plan/query.ts'
import type { Known } from './kinds.ts'

export interface FunctionShape {
  readonly call: ValueFunction
  /** What each argument is; `number` keeps integers integers. */
  readonly args: readonly (Known | 'number')[]
  /** How many of them must be there; all when left out. */
  readonly required?: number
  /** `number`: what the first argument is. */
  readonly result: Known | 'number'
  /** Put behind the arguments. */
  readonly extra?: string
}

const text = (call: ValueFunction): FunctionShape => ({ call, args: ['text'], result: 'text' })
const rounding = (call: ValueFunction): FunctionShape => ({ call, args: ['float'], result: 'float' })
const trim = (side: string): FunctionShape => ({ call: '_trim', args: ['text'], result: 'text', extra: side })
const substring: FunctionShape = { call: '_substring', args: ['text', 'integer', 'integer'], required: 2, result: 'text' }
const length: FunctionShape = { call: '_length', args: ['text'], result: 'integer' }

export const FUNCTIONS: ReadonlyMap<string, FunctionShape> = new Map([
  ['abs', { call: '_absolute', args: ['number'], result: 'number' }],
  ['round', rounding('_round')],
  ['floor', rounding('_floor')],
  ['ceil', rounding('_ceil')],
  ['ceiling', rounding('_ceil')],
  ['lower', text('_lower')],
  ['upper', text('_upper')],
  ['length', length],
  ['char_length', length],
  ['character_length', length],
  ['substr', substring],
  ['substring', substring],
  ['btrim', trim('both')],
  ['ltrim', trim('leading')],
  ['rtrim', trim('trailing')],
  ['replace', { call: '_replace', args: ['text', 'text', 'text'], result: 'text' }],
  ['strpos', { call: '_position', args: ['text', 'text'], result: 'integer' }],
  ['starts_with', { call: '_starts_with', args: ['text', 'text'], result: 'bool' }],
])

/** What to write instead of some that people know. */
export const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['now', 'give the time as a parameter'],
  ['current_timestamp', 'give the time as a parameter'],
  ['random', 'a statement gives the same for the same rows'],
  ['concat', 'write a || b'],
  ['string_agg', 'select the rows and join them yourself'],
  ['array_agg', 'select the rows'],
  ['json_agg', 'select the rows'],
  ['ilike', 'write lower(a) LIKE lower(b)'],
  ['current_user', 'write sender()'],
  ['session_user', 'write sender()'],
  ['user', 'write sender()'],
])
