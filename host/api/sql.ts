/** One statement from JSON to JSON: pass the shard door, unpack the rows. Parameters are typed behind it, where the tables are. */
import type { CallerHead, Shard, SqlExplanation } from '../protocol/shard-protocol.ts'
import { toJson } from '../protocol/json-values.ts'
import { PackedReader } from '../packed-bytes.ts'
import { unpackValue } from '../row-codec.ts'
import type { Layouts } from '../row-codec.ts'
import type { Scalar, ScalarType } from '../value-type.ts'

export interface SqlRequest {
  readonly database: string
  readonly sql: string
  readonly params: readonly unknown[]
  readonly caller: CallerHead
  readonly explain: boolean
}

/** As JSON has it; in process values are JavaScript's own. */
export interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: Scalar }[]
  /** Each with its values in the order of the columns. */
  readonly rows: readonly (readonly unknown[])[]
  /** Rows that the caller may see and that were looked at. */
  readonly examined: number
  readonly returned: number
  readonly explanation?: SqlExplanation
}

/** Statements give scalars only. */
const layouts: Layouts = { rowFields: () => [], recordFields: () => [] }

/** @throws HostError what the shard refused. */
export async function runSql(shard: Shard, { database, ...request }: SqlRequest): Promise<SqlAnswer> {
  const { head, body } = await shard.send(database, 'sql', request)
  const { columns, rowCount, record: _record, ...more } = head
  const reader = new PackedReader(body, 'ERR_RESULT_MALFORMED')
  const types = columns.map(({ type }): ScalarType => ({ kind: 'scalar', scalar: type, nullable: true }))
  const rows = Array.from({ length: rowCount }, () => types.map((type) => toJson(type, unpackValue(reader, type, layouts), layouts)))
  reader.end()
  return { columns, rows, ...more, returned: rowCount }
}
