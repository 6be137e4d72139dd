/**
 * Tokens of media rooms, in LiveKit's form: a JWT (RFC 7519) that lets its bearer join one room under one
 * name. Whoever joins is nobody to a database by that: the session knows for whom it had the token made.
 */
import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'

import { seconds } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { HostError } from '../errors.ts'

export interface RoomKey {
  /** LiveKit's "API key": who signs. */
  readonly name: string
  readonly secret: string
}

export interface RoomGrant {
  readonly room: string
  /** The participant's name in the room. */
  readonly participant: string
}

const claims = z.object({ sub: z.string().min(1).max(128), video: z.object({ room: z.string().min(1).max(128), roomJoin: z.literal(true) }) })

export async function mintRoomToken(key: RoomKey, { room, participant }: RoomGrant, ttlSeconds: number, clock: Clock): Promise<string> {
  const now = seconds(clock)
  return new SignJWT({ video: { room, roomJoin: true, canPublish: true, canSubscribe: true, canPublishData: true } })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(key.name)
    .setSubject(participant)
    .setNotBefore(now - 10)
    .setExpirationTime(now + ttlSeconds)
    .sign(Buffer.from(key.secret))
}

/** @throws HostError ERR_TOKEN_INVALID for everything that this key has not signed for a room. */
export async function readRoomToken(key: RoomKey, token: string, clock: Clock): Promise<RoomGrant> {
  try {
    const options = { algorithms: ['HS256'], issuer: key.name, requiredClaims: ['exp'], currentDate: new Date(seconds(clock) * 1_000) }
    const { payload } = await jwtVerify(token, Buffer.from(key.secret), options)
    const { sub, video } = claims.parse(payload)
    return { room: video.room, participant: sub }
  } catch (cause) {
    throw new HostError('ERR_TOKEN_INVALID', 'the token does not let anybody into a room here: ask for a new session', { cause })
  }
}
