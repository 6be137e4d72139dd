/** A module's description with a reducer for every type that answers with its argument, and one of each kind. */
import { SCALARS } from '../../host/value-type.ts'

const turns = [{ table: 'turns', mode: 'read' }]

export const echoModule = {
  format: 1,
  sdk: 'test',
  module: 'echo',
  records: [
    {
      name: 'claim',
      fields: [
        { name: 'id', type: 'u64' },
        { name: 'note', type: 'string?' },
      ],
    },
    { name: 'tree', fields: [{ name: 'children', type: 'record:tree[]' }] },
  ],
  tables: [
    {
      name: 'turns',
      columns: [
        { name: 'id', type: 'u64' },
        { name: 'caller', type: 'identity' },
        { name: 'content', type: 'string' },
        { name: 'score', type: 'u32', default: 0 },
      ],
      key: 'id',
      autoIncrement: true,
      owner: 'caller',
      clustered: [],
      uniques: [],
      indexes: [],
    },
  ],
  reducers: [
    ...SCALARS.map((scalar) => echo(`echo_${scalar}`, scalar)),
    ...SCALARS.map((scalar) => echo(`echo_nullable_${scalar}`, `${scalar}?`)),
    ...SCALARS.map((scalar) => echo(`echo_array_${scalar}`, `${scalar}[]`)),
    echo('echo_row', 'row:turns'),
    echo('echo_nullable_row', 'row:turns?'),
    echo('echo_record', 'record:claim'),
    echo('echo_tree', 'record:tree'),
    { name: 'echo_query', kind: 'query', tables: turns, params: [{ name: 'value', type: 'string' }], result: 'string' },
    {
      name: 'remember_turn',
      kind: 'reducer',
      tables: [{ table: 'turns', mode: 'append' }],
      params: [
        { name: 'role', type: 'string' },
        { name: 'content', type: 'string' },
        { name: 'score', type: 'u32?' },
      ],
      result: 'void',
    },
    { name: 'nothing', kind: 'reducer', tables: [], params: [], result: 'void' },
    { name: 'start', kind: 'init', tables: [], params: [], result: 'void' },
    { name: 'caller_turn', kind: 'hook', tables: [], params: [], result: 'void' },
  ],
}

function echo(name: string, type: string): object {
  return { name, kind: 'reducer', tables: [], params: [{ name: 'value', type }], result: type }
}
