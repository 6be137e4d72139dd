/** What passes between the gate and its child: one upload down, one answer up. */
import type { ErrorCode, ErrorDetail } from '../errors.ts'
import type { CheckedComponent } from './check-component.ts'

export interface GateRequest {
  readonly component: Uint8Array
}

export type GateAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'accepted'; readonly checked: CheckedComponent }
  | {
      readonly kind: 'refused'
      readonly code: ErrorCode
      readonly message: string
      readonly detail: ErrorDetail
      /** True where only our own parser has seen the upload, so that the child is as good as before. */
      readonly isClean: boolean
    }
