/** The mutant of a seed and an index: the same one whenever and wherever it is asked for. */
import { mutateComponent } from './mutate.ts'
import { Random } from './random.ts'

export interface Mutant {
  readonly component: Uint8Array
  /** Goes on with values for its calls. */
  readonly random: Random
}

/** Most mutants are of small components: ten of those are looked at in the time of a large one. */
const SMALL_SIZE_BYTES = 16_384

export function mutantNumber(index: number, seed: number, corpus: readonly Uint8Array[]): Mutant {
  const random = new Random(seed, index)
  const chosen = random.chance(20) ? corpus : corpus.filter((component) => component.length <= SMALL_SIZE_BYTES)
  return { component: mutateComponent(random.pick(chosen), random.pick(chosen), random), random }
}
