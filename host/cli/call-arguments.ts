/**
 * Arguments typed at a prompt to the JSON of docs/api.md, by the types of the reducer's parameters:
 * the text 42 is a number for a u32 and a text for a string. What does not fit is sent as it is, so
 * that the host alone says what is wrong with it.
 */
import { fetchSchema } from './database-schema.ts'
import type { HostClient } from './host-client.ts'

export interface TypedCall {
  readonly database: string
  readonly name: string
  readonly positional: readonly string[]
}

export async function argumentsOf(client: HostClient, { database, name, positional }: TypedCall): Promise<readonly unknown[]> {
  if (positional.length === 0) return []
  const { reducers } = await fetchSchema(client, database)
  const params = reducers.find((reducer) => reducer.name === name)?.params ?? []
  return positional.map((text, index) => argumentOf(params[index]?.type ?? 'string', text))
}

/** One argument; `type` as docs/module-description.md writes types. */
export function argumentOf(type: string, text: string): unknown {
  if (type.endsWith('?')) return text === 'null' ? null : argumentOf(type.slice(0, -1), text)
  if (type.endsWith('[]') || type.includes(':')) return parsedOr(text)
  switch (type) {
    case 'bool':
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
    case 'f32':
    case 'f64':
      return parsedOr(text)
    default:
      return text
  }
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
