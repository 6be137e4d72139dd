/** Bounds of the command line; those of the host are in host/limits.ts. */

/** A request that the host has not answered by then: a publish waits at most for 16 others of 2 s each. */
export const answerTimeMsMax = 60_000
/** An answer kept in memory: a result of 4 MiB in its JSON form, many times over. */
export const answerBytesMax = 64 * 1024 * 1024
/** One line of a followed log: a message of 8 KiB, escaped. */
export const logLineBytesMax = 256 * 1024
/** Life of a token minted for one call of `--as`. */
export const callTokenTtlSeconds = 60
/** Folders of one module's sources that `dev` watches, each a descriptor of the system. */
export const watchedFoldersMax = 200
/** Saves that come closer together are one: editors write a file in several steps. */
export const saveQuietTimeMs = 40
/** A log that breaks off is followed again this much later. */
export const followAgainTimeMs = 500
/** Calls that `calls list` shows when it is not told how many, and the most it shows: each is held in memory. */
export const callsListed = 20
export const callsListedMax = 10_000
/** What a terminal shows of one value and of one call's rows; --json has all of it. */
export const valueCharactersMax = 1_000
export const operationsShownMax = 20
/** Of a table that leaks: questions shown by which one learns of others' rows, and how much of an answer. */
export const leaksShownMax = 3
export const answerCharactersMax = 100
/** Statements that are kept for the next time, and bytes of one of them: more than a statement may have. */
export const historyEntriesMax = 500
export const historyBytesMax = 20_000
/** How long a session asks as one caller, before the minute of its token is over. */
export const callerTimeMsMax = 45_000
/** How often a line of progress is written anew. */
export const progressTimeMs = 100
/** How long the address of a page for talking to an agent holds. */
export const pageTokenSeconds = 24 * 3_600
