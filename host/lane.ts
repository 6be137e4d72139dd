/**
 * Which of a host's lanes a database belongs to, for good: a lane is one log that one thread writes. A data
 * folder has as many as its first host had shards; a later host may have fewer shards, each with some lanes.
 */
export function laneOf(database: string, laneCount: number): number {
  let hash = 0
  for (const character of database) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0
  return hash % laneCount
}

/** The lanes of one shard of several. */
export function lanesOfShard(shard: number, shardCount: number, laneCount: number): readonly number[] {
  return Array.from({ length: laneCount }, (_unused, lane) => lane).filter((lane) => lane % shardCount === shard)
}
