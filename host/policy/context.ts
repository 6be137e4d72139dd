/** What a policy knows of the call beside the row: who calls, in whose name, how proven, and what runs. */
import { ASSURANCES } from '../identity.ts'
import type { Assurance } from '../identity.ts'
import { unreachable } from '../errors.ts'
import type { ContextOperand, SqlValue } from '../plan/plan.ts'

export interface PolicyContext {
  /** 32 bytes each. */
  readonly sender: Uint8Array
  readonly actor: Uint8Array
  readonly assurance: Assurance
  readonly channel: string
  readonly claims: Readonly<Record<string, string>>
  /** The reducer or query that runs; undefined for a read without guest code. */
  readonly reducer: string | undefined
}

export function contextValue(operand: ContextOperand, context: PolicyContext): SqlValue {
  switch (operand.kind) {
    case 'sender':
      return context.sender
    case 'actor':
      return context.actor
    case 'assurance':
      return BigInt(ASSURANCES.indexOf(context.assurance))
    case 'channel':
      return context.channel
    case 'claim':
      // A claim may be called `constructor`, which every object has.
      return Object.hasOwn(context.claims, operand.name) ? (context.claims[operand.name] ?? null) : null
    default:
      return unreachable(operand)
  }
}
