/**
 * Whether a call gets an instance that was made for it alone, or the one of the call before, made as new
 * (docs/decisions/0003-reset-instances.md).
 */
export type InstanceMode = 'fresh' | 'reset'

export const INSTANCE_MODES: readonly InstanceMode[] = ['fresh', 'reset']
