/**
 * Whether somebody speaks, from the energy of frames of 20 ms against a floor that follows the noise of the
 * line: it falls at once and rises slowly, so that a voice does not lift it and a fan does within seconds.
 */
import { inputRate } from './peer.ts'

export const frameMs = 20
export const frameSamples = (inputRate * frameMs) / 1_000

/** Below this nothing is a voice: the noise of a silent line has an energy of 5 to 60. */
const energyMin = 180
/** A voice is 10 dB above the floor. */
const aboveFloor = 3.2
const floorStart = 60
const floorRise = 1.004
const floorFall = 0.2

export class EnergyVad {
  #floor = floorStart

  /** Frames are to come in order, each of `frameSamples`. */
  isVoice(frame: Int16Array): boolean {
    const energy = energyOf(frame)
    this.#floor = energy < this.#floor ? this.#floor + (energy - this.#floor) * floorFall : this.#floor * floorRise
    return energy > Math.max(energyMin, this.#floor * aboveFloor)
  }
}

/** Root of the mean square. */
export function energyOf(frame: Int16Array): number {
  let sum = 0
  for (const sample of frame) sum += sample * sample
  return frame.length === 0 ? 0 : Math.sqrt(sum / frame.length)
}
