/**
 * Every bound of the host, with its unit and its reason. What a caller, a module or a disk can make
 * large is measured against one of these before memory or time is spent on it.
 */

const KiB = 1024
const MiB = 1024 * KiB

// ---- publish ---------------------------------------------------------------------------------
/** Largest component that is read at all: AssemblyScript modules are 10 to 100 KiB, Rust ones 2 MiB. */
export const componentSizeBytesMax = 8 * MiB
/** Processor time of the gate's child for one component; a warm publish takes about 20 ms. */
export const gateTimeMsMax = 2_000
/** Wall time of the same: a good module must not be refused because the machine is busy with others. */
export const gateWallTimeMsMax = 20_000
/**
 * Resident memory of the gate's child. Node and jco's tools alone hold 127 MiB, and checking a good
 * component of 7.5 MiB brought a child that had checked others to 257.
 */
export const gateMemoryBytesMax = 384 * MiB
/** A child that is larger than this after a check is not kept: each check finds room to work in. */
export const gateMemoryWarmBytesMax = 192 * MiB
/** Start of the gate's child with its tools loaded: about 0.5 s alone, several times that under load. */
export const gateStartTimeMsMax = 15_000
/** How often the gate's parent looks at its child's memory: Wasm can touch 100 MiB in this time. */
export const gateSampleTimeMs = 10
/** Publishes one child checks before a fresh one takes over, and how long an idle one is kept. */
export const gateUsesMax = 100
export const gateIdleTimeMsMax = 60_000
/** Publishes that wait for the gate; the next one is told to come back. */
export const gateQueueMax = 16
/** Sections of a component or core module: wit-component writes about 60. */
export const moduleSectionsMax = 1_000
/** Entries of one section. Types need no bound of nesting: those of our world do not nest. */
export const sectionEntriesMax = 100_000
/** One name in a component or core module; the world's longest has 36 bytes. */
export const moduleNameBytesMax = 1_024
/** Parameters and results of one function type, as in V8. */
export const functionParametersMax = 1_000
/** Locals of all functions of a module: 8 KB can declare 50 million of them for a compiler to place. */
export const localsMax = 1_000_000
/** A core module after its metering: 1.3 times what it was, and four times one of nothing but empty loops. */
export const rewrittenSizeBytesMax = 16 * MiB
/** Code of one function: 1 MiB keeps the optimising compiler busy for seconds; a switch over 500 reducers has 10 KiB. */
export const functionBodyBytesMax = 1 * MiB
/**
 * What every instance makes anew: 170, 110 and 60 ns of each call for each of them, while an AssemblyScript
 * module has hundreds and one from Rust some thousand functions.
 */
export const globalsMax = 10_000
export const functionsMax = 20_000
export const dataSegmentsMax = 10_000
/** Blocks around one instruction; a switch over 500 reducers has 500. */
export const blockNestingMax = 5_000
/** Table elements of a core module: one table of 5 M entries aborts a Node process. */
export const tableElementsMax = 20_000
/** Initial pages of a core module's memory (64 KiB each): 16 MiB before the first call. */
export const memoryPagesInitialMax = 256
/** All the pages that 32-bit addresses reach. */
export const memoryPagesMax = 65_536
/** Module description as JSON. */
export const descriptionSizeBytesMax = 256 * KiB
export const tablesMax = 100
export const columnsMax = 200
export const indexesPerTableMax = 20
export const reducersMax = 500
export const policiesPerTableMax = 32
/** Characters of one policy's expression: the longest sensible one has a few hundred, and SQLite takes trees 1,000 deep. */
export const policySizeMax = 2_000
/** Characters of a table's policies together: each literal is a bound value, of which SQLite takes 32,766 in a statement. */
export const policiesSizePerTableMax = 16_000
/** Parentheses, `not` and `exists` in each other. */
export const policyDepthMax = 32
/** Looks into other tables in one expression, each of them once for every row that is examined. */
export const policyLooksMax = 8
export const recordsMax = 200
/** Agents of one module, the tools of one agent, and characters of what its model is told of one. */
export const agentsMax = 20
export const toolsPerAgentMax = 64
export const toolDescriptionSizeMax = 2_000
export const fieldsMax = 200

// ---- calls -----------------------------------------------------------------------------------
/**
 * Fuel of one call (docs/fuel.md): about 0.1 s of plain instructions. Reducers that read and write some
 * rows burn 10,000 to 100,000; one that makes the largest result there may be burns 250 million.
 */
export const fuelPerCallMax = 300_000_000
/** How far an operator may raise it: about 0.7 s, far below the watchdog's patience. */
export const fuelPerCallCeiling = 2_000_000_000
/** Pages that a guest's memory may grow to (64 KiB each): 64 MiB. */
export const memoryPagesPerCallMax = 1_024
/**
 * Stack slots of 8 bytes that one call may use: 384 KiB at most of V8's 984, whatever compiler and
 * thread, so that a call always ends at the same depth. A small recursive function takes about 16.
 */
export const stackSlotsPerCallMax = 49_152
/** Guest memories of one thread that are alive: a process has addresses for about 13,000. */
export const memoriesLiveMax = 4_096
/** Idle guest memories that a thread keeps for the next calls, and their bytes. */
export const memoriesIdleMax = 16
export const memoryIdleBytesMax = 64 * MiB
/**
 * Instances that a thread keeps to reset them, one for a module, and the bytes of their memories. V8 reserves
 * 10 GiB of addresses for each: 64 in each of a hundred threads would take half of what a process has.
 */
export const instancesIdleMax = 64
export const instanceIdleBytesMax = 64 * MiB
export const argumentsSizeBytesMax = 1 * MiB
export const resultSizeBytesMax = 4 * MiB
export const rowSizeBytesMax = 256 * KiB
/**
 * Values in one result or one list of arguments. Each becomes an object of about 50 bytes and then
 * JSON, on the main thread too: 4 MiB of single bytes would hold it for seconds.
 */
export const valuesUnpackedMax = 250_000
/** What a writer keeps between uses; each open database has one that can grow to a call's rows. */
export const packedBytesKept = 256 * KiB
/** Handles of one call: a signature names each table once. */
export const handlesPerCallMax = 32
/** Rows that one call may read, and row operations it may leave. */
export const rowsReadPerCallMax = 100_000
export const rowOperationsPerCallMax = 10_000
/** Rows that one call may count without reading them: about 50 ms. */
export const rowsCountedPerCallMax = 1_000_000
/** Rows that a call's statements may ask a policy about, shown or hidden: about 0.3 s. */
export const rowsExaminedPerCallMax = 1_000_000
/** Bytes of the rows one call may read or write: what a batch holds in memory. */
export const rowBytesPerCallMax = 16 * MiB
export const scanTermsMax = 8
/** Different shapes of scans in one call: each may be a statement to prepare, which takes 50 to 100 µs. */
export const scanShapesPerCallMax = 64
/** Log output of one call; the rest is counted and dropped. */
export const logBytesPerCallMax = 64 * KiB
export const logMessageBytesMax = 8 * KiB
/** What a line costs beside its message: a million empty ones are no less a flood. */
export const logLineBytes = 64
/** Message of ctx.fail or of a guest's `err`. */
export const failMessageBytesMax = 4 * KiB
/** An id that a caller gives a call; a UUID has 36 characters. */
export const callIdSizeBytesMax = 64
/** Claims of a token that reach a call. */
export const claimsMax = 32
export const claimSizeBytesMax = 1 * KiB
/** Nesting of a Json value, and of lists and records in each other: refused before a parser recurses. */
export const jsonDepthMax = 64

// ---- client SQL ------------------------------------------------------------------------------
/** A statement's text: the parser's tree is 50 to 100 times as large, and its stack bears several times this. */
export const sqlTextBytesMax = 16 * KiB
/** Expressions and tables in each other, and all of them: SQLite takes trees 1,000 deep. */
export const sqlDepthMax = 64
export const sqlNodesMax = 4_000
/** Terms of one `and`, `or` or `in`, and columns of one list. */
export const sqlItemsMax = 500
/** Comparisons of one table that stand outside for an index: no index has more columns that serve. */
export const sqlServedTermsMax = 8
/** What computing one expression for a row counts for: a KiB counts as a row, and 32 comparisons take as long as one. */
export const sqlExpressionBytes = 32
/** Tables of one statement, with those of its subqueries. */
export const sqlTablesMax = 8
/** Parameters, and bytes of one. */
export const sqlParametersMax = 100
/**
 * Rows that a statement may go over, shown or hidden, a KiB of text and a call of a function for one each: 50 to 120 ms
 * of joins, groups, patterns and subqueries, measured on statements that use all of it up, in which its shard does
 * nothing else.
 */
export const sqlStepsMax = 100_000
/** Rows of one answer, before values and bytes (valuesUnpackedMax, resultSizeBytesMax) bound it. */
export const sqlRowsMax = 10_000
/** Characters of one text that a statement puts together. */
export const sqlTextBytesMade = 1 * MiB
/** Characters of a LIKE pattern, each of which may meet each character of a text. */
export const sqlPatternSizeMax = 256
/** Statements of clients kept compiled by one database, each of them at most sqlTextBytesMax. */
export const sqlStatementsCachedMax = 200

// ---- commit log ------------------------------------------------------------------------------
/**
 * Payload of one record: the rows of a call, old and new, are twice 16 MiB, its result 4, its arguments 1; a
 * publish carries a component of 8. Nothing larger is believed when it is read back.
 */
export const recordPayloadBytesMax = 64 * MiB
/** Records of one append: what 16 bits count. */
export const logBatchRecordsMax = 65_535
/** What a batch keeps between appends: 64 records of 600 bytes are 38 KiB. */
export const logBatchBytesKept = 4 * MiB
/** A segment of the log takes records until it is so large: what a start reads at most, and what retention takes away at once. */
export const logSegmentBytes = 32 * MiB
/**
 * Zeros written ahead of the records: a sync that finds its blocks there takes half the time. More at once stalls
 * longer, less comes more often (docs/decisions/0002-commit-log.md).
 */
export const logAheadBytes = 1 * MiB
/** Room that is given up on a full disk, so that the log can be brought to order: a segment's list of databases has 80 bytes for each. */
export const logReserveBytes = 4 * MiB
/** The same for the host's own book: a drop is begun there, which makes room. */
export const hostReserveBytes = 256 * KiB
/** One chunk of what is read from the log. A record that is larger comes alone. */
export const logChunkRecordsMax = 256
export const logChunkBytesMax = 1 * MiB
/** Damages that a check names; a log with more of them has one problem. */
export const logDamagesMax = 1_000
/** What the log keeps at most unless the operator says otherwise: minutes to read through, and a month to look back. */
export const logSizeBytesMax = 1024 * MiB
export const logAgeSecondsMax = 30 * 24 * 3_600
/** How often a lane looks whether its log can forget something, besides after each segment, and whether its reserve is there. */
export const laneUpkeepTimeMs = 60_000
/** Looks at a log whose host forgets segments meanwhile: each look takes milliseconds, each forgetting seconds of records. */
export const logViewTriesMax = 10

/**
 * Bytes of the WAL after which its pages are moved into the state file: an eighth of the file, so that
 * reading it for its sum costs little, between these two.
 */
export const walBytesMin = 4 * MiB
export const walBytesMax = 64 * MiB
/** A snapshot is not made when less than this would be left of the disk: a batch and its rows have room in it. */
export const diskFreeBytesMin = 64 * MiB
/** Records that a rebuilt state file may have to go through, at about 10 µs each. */
export const recordsPerSnapshot = 50_000
/** The same in bytes that went through the WAL, or half of the file where that is more. */
export const walBytesPerSnapshot = 32 * MiB

// ---- access log ------------------------------------------------------------------------------
/** Keys that one record names; past them it has a count and a digest. A recall names 20. */
export const accessKeysMax = 1_000
/** Parts of one record, each of one table, owner and subject; past them it says that it may be of anybody. */
export const accessPartsMax = 1_000
/** Characters of one key or subject; a longer one is told by its hash. */
export const accessKeyCharactersMax = 256
/** Characters of a statement, a purpose, a session or a detail in a record; what is longer is cut and says so. */
export const accessTextBytesMax = 4 * KiB
/** A purpose, and the name of a session. */
export const purposeSizeBytesMax = 255
/** Text of an export that one answer of a shard carries. */
export const accessExportPartBytes = 1 * MiB
/** Reads whose rows one disclosure names: those of a turn, which are its prompt's and 64 of tools at most. */
export const disclosedReadsMax = 80
/** Rows of one report, and records that an index takes up before others have their turn (about 5 ms). */
export const accessReportRowsMax = 10_000
export const accessIndexedAtOnce = 200
/** The same where somebody waits for all of them: what lies together is written together. */
export const accessIndexedInOneGo = 10_000
/** What the access log keeps unless the operator says otherwise: as long as HIPAA wants papers kept (45 CFR 164.316). */
export const accessAgeSecondsMax = 6 * 366 * 24 * 3_600
/** What a power loss may take: a record is synced so long after it was written, and never later than the second. */
export const accessSyncTimeMs = 15
export const accessSyncTimeMsMax = 20

// ---- media -----------------------------------------------------------------------------------
/** Rooms of the dev room, and who may be in one: a caller and an agent, with a place for each to come back. */
export const roomsMax = 64
export const roomParticipantsMax = 4
/** Tracks that one participant publishes: one voice, and one more when it begins anew. */
export const roomTracksMax = 4
/** One signal: a session description has 2 to 8 KiB. */
export const roomSignalBytesMax = 256 * KiB
/** One data packet between participants: what SCTP carries without splitting hairs. */
export const roomPacketBytesMax = 64 * KiB
/** Sessions of one host at once, and of one caller: eight take less than half a core. */
export const sessionsMax = 64
export const sessionsPerCallerMax = 4
/** A message of a peer, and the characters of what it types at once. */
export const peerMessageBytesMax = 16 * KiB
export const saidSizeMax = 2_000
/** Voice in a row that begins an utterance, what is kept from before it, and the silence that ends it. */
export const voiceStartMs = 60
export const preRollMs = 300
export const endpointSilenceMs = 500
/** Frames that come later than this after the last one do not come. */
export const framesLateMsMax = 500
/** One utterance: whoever speaks longer is answered in between. */
export const utteranceMsMax = 30_000
/** A prompt may take this long; after it the answer is made with what was recalled before. */
export const recallTimeMsMax = 150
/** Times a hook is called again when the disk or the shard did not take it, and the time between. */
export const hookTriesMax = 6
export const hookRetryTimeMs = 100
/** Audio that waits at a peer to be played: what a network needs to be smooth, and no more to take back. */
export const playoutQueueMs = 200
/** Each step of leaving a room. */
export const peerCloseTimeMsMax = 1_000
/** A client that does not say that it is ready hears by then. */
export const peerReadyTimeMsMax = 3_000
/** One binary message of a caller: two seconds of their voice. */
export const peerAudioBytesMax = 64 * KiB
/** What a caller on a socket has not read: about five seconds of voice. */
export const peerUnreadBytesMax = 512 * KiB
/** A caller has this long to come, to come back after their line was cut, and to be silent. */
export const peerComesTimeMsMax = 30_000
export const peerReturnsTimeMsMax = 10_000
export const sessionIdleTimeMsMax = 5 * 60_000
export const sessionTimeMsMax = 60 * 60_000
/** What an ending session waits for its last words to be written and heard of. */
export const sessionEndTimeMsMax = 5_000
/** Turns that a model is told of the running session. */
export const historyTurnsMax = 40
/** Characters of one answer, tool calls in it, and rounds of them before the model must speak. */
export const answerSizeMax = 4_000
export const toolCallsPerTurnMax = 16
export const toolRoundsMax = 4
/** Answers in a row that failed: the caller is told and the session ends. */
export const failuresInRowMax = 3
/** JSON of the rows that a page is shown for one turn. */
export const shownRowsBytesMax = 48 * KiB
/** A provider: until its answer begins, until it has ended, and between two pieces of it. */
export const providerHeadersTimeMsMax = 5_000
export const providerTimeMsMax = 60_000
export const providerPieceTimeMsMax = 10_000
/** Tries of a request that a provider did not take, and the time before the next one. */
export const providerTriesMax = 3
export const providerRetryTimeMs = 150
/** Answers of providers: a transcription, one event of a stream, all of it, and one sentence's sound (a minute at 24 kHz). */
export const transcriptionBytesMax = 256 * KiB
export const streamEventBytesMax = 64 * KiB
export const streamBytesMax = 2 * MiB
export const speechBytesMax = 60 * 48_000
/** What a page waits for with a ticket of a session before it is opened by it. */
export const sessionTicketTimeMsMax = 30_000
/** As LiveKit's own server has them. */
export const roomPingSeconds = 5
export const roomPingTimeoutSeconds = 15

// ---- host ------------------------------------------------------------------------------------
/** Calls of one database that wait for its shard; the next one is told to come back. */
export const queuePerDatabaseMax = 1_024
/** Calls that share one transaction and its fsync. */
export const callsPerBatchMax = 256
/** Records of one append: a batch of large calls ends before its memory is a burden. */
export const batchBytesMax = 16 * MiB
/** After this time a batch is committed and the shard's other databases have their turn. */
export const batchTimeMsMax = 50
/** A shard that has not answered a ping for so long is lost: every call ends by its fuel long before. */
export const shardSilenceMsMax = 10_000
export const shardPingMs = 1_000
/** A worker inside a SQLite statement cannot be ended from outside; after this the process must go. */
export const shardEndTimeMsMax = 5_000
/** Time without a call after which a database moves its committed pages from the WAL into the file. */
export const idleTimeMsMin = 250
/** So long, and up to so many changed rows and bytes, batches that the log has wait for a commit of their file. */
export const keptTimeMsMax = 250
export const keptRowsMax = 4_096
export const keptBytesMax = 4 * MiB
/** What a changed row takes of the WAL beside its own bytes: a page of its table and one of each of a few indexes. */
export const changedRowBytesMax = 16 * KiB
/** How often a file that had no room for its rows tries again when nobody calls. */
export const catchUpTimeMs = 500
/** Databases a shard keeps open; the least recently used idle one closes (197 KiB, 3 descriptors each). */
export const databasesOpenMax = 256
/** Identities, next ids and statements kept in memory by one database. */
export const identitiesCachedMax = 10_000
export const nextIdsCachedMax = 10_000
export const statementsCachedMax = 500
/** Printed statements kept by one database: each shape of a scan of each table, about 500 bytes. */
export const plansCachedMax = 2_000
/** Log entries of a database kept for readers that come late. */
export const logEntriesKept = 1_000
/** Bytes of those entries, so that few long messages do not weigh more than many short ones. */
export const logBytesKept = 1 * MiB
/** Unread bytes of one follower; one that reads slower than its module logs is cut. */
export const logFollowerBytesMax = 256 * KiB
/** Followers of one database's log. */
export const logFollowersMax = 50
/** Body of a JSON request: the arguments of a call in their JSON form. */
export const requestBodyBytesMax = 2 * MiB
/**
 * Bodies of one database's requests that are read or answered at the same time: any bearer of a token can
 * open many connections, and should fill its own database's share and not the host's memory.
 */
export const bodyBytesPerDatabaseMax = 128 * MiB
/** How long a client may take for its headers and its body. */
export const requestTimeMsMax = 30_000
/** How long a socket may stand still while an answer is owed or unread; followers of a log may wait. */
export const socketIdleMsMax = 60_000
/** Open sockets of the HTTP server. */
export const connectionsMax = 10_000
/** Issuers of databases kept with their public keys, so that a token costs no way through the door. */
export const issuersCachedMax = 10_000
/** Parsed descriptions kept for packing arguments, so that many idle databases weigh little. */
export const modulesCachedMax = 1_000
/** Publishes of one database that wait for each other, each holding its component in memory. */
export const publishesWaitingMax = 8
/** Times a call is packed again because a publish came between. */
export const repackTriesMax = 5
/** Verified tokens kept, so that a call does not pay an Ed25519 verification (0.18 ms) each time. */
export const tokensCachedMax = 10_000
export const tokenSizeBytesMax = 8 * KiB
export const tokenTtlSecondsMax = 365 * 24 * 3_600
/** A subject, or an issuer: OIDC allows 255 characters for the one. */
export const loginPartSizeBytesMax = 255
/** Keys of one issuer, each looked through at a verification: a rotation a month, removed after a year. */
export const keysPerIssuerMax = 16
/** Calls still running when the host is asked to stop get this long. */
export const shutdownTimeMsMax = 5_000
