/**
 * One function body in arrays, an element an instruction: every phase of the rewriter walks it, and
 * a million small objects would cost more than the phases.
 */
import { HostError } from '../../errors.ts'
import { functionBodyBytesMax } from '../../limits.ts'
import { BinaryReader } from '../binary-reader.ts'
import { functionTypeOf, typeAt } from '../core-module.ts'
import type { CoreModule, FunctionBody, FunctionType, ValueType } from '../core-module.ts'
import { walkBody } from '../instructions.ts'

export interface DecodedBody {
  readonly module: CoreModule
  readonly type: FunctionType
  /** Parameters first. */
  readonly localTypes: readonly ValueType[]
  readonly count: number
  readonly opcodes: Uint16Array
  /** Where each instruction starts in the module's bytes; one more than `count`: the end. */
  readonly offsets: Uint32Array
  /** The first index that an instruction names, 0 where it names none. */
  readonly indices: Uint32Array
  /** Labels of a br_table by its position, the default last. */
  readonly labels: ReadonlyMap<number, readonly number[]>
}

/** @param index of the function, imported ones counted. */
export function decodeBody(module: CoreModule, index: number): DecodedBody {
  const body = module.bodies[index - module.importedFunctions.length]
  if (body === undefined) throw new HostError('ERR_INTERNAL', `there is no body ${index}`)
  const sizeBytes = body.end - body.codeStart
  if (sizeBytes > functionBodyBytesMax) {
    throw new HostError('ERR_COMPONENT_CORE', `function ${index} has ${sizeBytes} bytes of code: at most ${functionBodyBytesMax}`)
  }
  const type = functionTypeOf(module, index)
  const opcodes = new Uint16Array(sizeBytes)
  const offsets = new Uint32Array(sizeBytes + 1)
  const indices = new Uint32Array(sizeBytes)
  const labels = new Map<number, readonly number[]>()
  let count = 0
  walkBody(new BinaryReader(module.bytes, body.codeStart, body.end), ({ opcode, offset, immediates }) => {
    opcodes[count] = opcode
    offsets[count] = offset
    indices[count] = immediates[0] ?? 0
    if (opcode === 0x0e) labels.set(count, immediates)
    count += 1
  })
  offsets[count] = body.end
  return { module, type, localTypes: localTypes(type, body), count, opcodes, offsets, indices, labels }
}

export interface Arity {
  readonly parameters: number
  readonly results: number
}

/** What a block takes from the stack and leaves on it. */
export function blockArity({ module, offsets, indices }: DecodedBody, position: number): Arity {
  const byte = module.bytes[(offsets[position] ?? 0) + 1] ?? 0x40
  if (byte === 0x40) return { parameters: 0, results: 0 }
  if (byte >= 0x7c && byte <= 0x7f) return { parameters: 0, results: 1 }
  const type = typeAt(module, indices[position])
  return { parameters: type.parameters.length, results: type.results.length }
}

/** The type of what a `call` or `call_indirect` calls. */
export function calledType({ module, opcodes, indices }: DecodedBody, position: number): FunctionType {
  const index = indices[position] ?? 0
  return opcodes[position] === 0x10 ? functionTypeOf(module, index) : typeAt(module, index)
}

function localTypes(type: FunctionType, body: FunctionBody): readonly ValueType[] {
  const types = [...type.parameters]
  for (const group of body.locals) for (let left = group.count; left > 0; left -= 1) types.push(group.type)
  return types
}
