/** remembrancer audit …: the access log (docs/access-log.md). Reports, exports and checkpoints ask a host; verify asks nobody. */
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'

import { Command, Option } from 'commander'
import { z } from 'zod'

import { parseCheckpoint, parsePublicKeys } from '../../access-log/checkpoint.ts'
import { formatTimestamp, parseTimestamp, systemClock } from '../../clock.ts'
import { auditFormats, reportDocument } from '../audit/report-formats.ts'
import { auditReport } from '../audit/report-answer.ts'
import type { AuditReport } from '../audit/report-answer.ts'
import { verdictLines, verifyAnything } from '../audit/verify.ts'
import { connectAsCaller } from '../caller.ts'
import { parseSeconds } from '../duration.ts'
import { EndWith, EXIT_CODES, usage } from '../exit-code.ts'
import { pathOf } from '../host-client.ts'
import type { HostClient } from '../host-client.ts'
import { command, connect, hostCommand } from '../host-command.ts'
import { requireDatabase } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

export function auditCommand(terminal: Terminal): Command {
  return new Command('audit')
    .description('the access log: who touched whose data, and proof of it')
    .addCommand(reportCommand(terminal))
    .addCommand(disclosuresCommand(terminal))
    .addCommand(exportCommand(terminal))
    .addCommand(checkpointCommand(terminal))
    .addCommand(verifyCommand(terminal))
}

interface ReportOptions extends TargetOptions {
  readonly subject?: string
  readonly issuer?: string
  readonly since?: bigint
  readonly until?: bigint
  readonly format: (typeof auditFormats)[number]
  readonly purpose?: string
  readonly as?: string
}

function reportCommand(terminal: Terminal): Command {
  return subjectCommand('report', 'what touched the data of one person').action(async ({ format, ...options }: ReportOptions) =>
    show(terminal, await fetchReport(options), format),
  )
}

function disclosuresCommand(terminal: Terminal): Command {
  return subjectCommand('disclosures', 'what of one person’s data went to which outside provider, at which turn').action(
    async ({ format, ...options }: ReportOptions) => {
      const report = await fetchReport(options)
      show(terminal, { ...report, rows: report.rows.filter(({ event }) => event === 'disclosure') }, format)
    },
  )
}

function show(terminal: Terminal, report: AuditReport, format: ReportOptions['format']): void {
  terminal.result(report, reportDocument(report, format))
  if (report.isCut) terminal.note(`only the newest ${report.rows.length} rows: narrow it with --since and --until`)
  if (report.ofAnybody > 0) terminal.note(`${report.ofAnybody} more records went over more people than they name, and may be about this one`)
}

function subjectCommand(name: string, description: string): Command {
  return hostCommand(name, description)
    .option('--subject <subject>', "whose: a login of the database, an identity, or a value of a @subject column; one's own when left out")
    .option('--issuer <issuer>', "of the login, where it is not the database's own")
    .option('--since <time>', 'from then on: 90d, or a time as 2026-11-22T09:30:00Z', parseMoment)
    .option('--until <time>', 'up to then', parseMoment)
    .addOption(new Option('--format <format>', 'what to print').choices(auditFormats).default('table'))
    .option('--purpose <text>', 'why you ask: it is kept with the record of it')
    .option('--as <subject>', "ask as this login of the database: as remembrancer call's")
}

async function fetchReport({ subject, issuer, since, until, purpose, as, ...options }: Omit<ReportOptions, 'format'>): Promise<AuditReport> {
  const { client, database } = as === undefined ? connectToDatabase(options) : await connectAsCaller({ as, ...options })
  const body = {
    ...(subject === undefined ? {} : { subject: { text: subject, ...(issuer === undefined ? {} : { issuer }) } }),
    ...(since === undefined ? {} : { since: formatTimestamp(since) }),
    ...(until === undefined ? {} : { until: formatTimestamp(until) }),
    ...(purpose === undefined ? {} : { purpose }),
  }
  return client.post(pathOf`/v1/databases/${database}/access/report`, body, auditReport)
}

function connectToDatabase(options: TargetOptions): { readonly client: HostClient; readonly database: string } {
  const { client, target } = connect(options)
  return { client, database: requireDatabase(target) }
}

interface ExportOptions extends TargetOptions {
  readonly out: string
  readonly purpose?: string
}

function exportCommand(terminal: Terminal): Command {
  return hostCommand('export', 'all of a database’s access log, with a signed line at its end')
    .requiredOption('--out <file>', 'where it goes')
    .option('--purpose <text>', 'why you ask: it is kept with the record of it')
    .action(async ({ out, purpose, ...options }: ExportOptions) => {
      const { client, target } = connect(options)
      const database = requireDatabase(target)
      const query = purpose === undefined ? '' : `?purpose=${encodeURIComponent(purpose)}`
      let lines = 0
      await pipeline(
        async function* () {
          for await (const line of client.lines(`${pathOf`/v1/databases/${database}/access/export`}${query}`)) {
            lines++
            yield `${line}\n`
          }
        },
        createWriteStream(out, { mode: 0o600 }),
      )
      const records = Math.max(0, lines - 2)
      terminal.result({ file: out, records }, [`${records} records of ${database} in ${out}: remembrancer audit verify ${out} --key <public keys>`])
    })
}

const checkpointAnswer = z.looseObject({ position: z.string(), at: z.string() })

interface CheckpointOptions extends TargetOptions {
  readonly out?: string
  readonly webhook?: string
}

function checkpointCommand(terminal: Terminal): Command {
  return hostCommand('checkpoint', 'where the log has come to, signed: kept elsewhere, it shows that the log was cut back')
    .option('--out <file>', 'also into this file')
    .option('--webhook <url>', 'also by POST to this URL, as JSON')
    .action(async ({ out, webhook, ...options }: CheckpointOptions) => {
      const { client, target } = connect(options)
      const database = requireDatabase(target)
      const checkpoint = await client.post(pathOf`/v1/databases/${database}/access/checkpoint`, {}, checkpointAnswer)
      const text = JSON.stringify(checkpoint)
      if (out !== undefined) writeFileSync(out, `${text}\n`, { mode: 0o600 })
      if (webhook !== undefined) await send(webhook, text)
      terminal.result(checkpoint, [text])
    })
}

async function send(url: string, body: string): Promise<void> {
  const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' }, redirect: 'manual' }).catch((cause: unknown) => {
    throw usage(`${url} could not be reached: ${String(cause instanceof Error ? (cause.cause ?? cause.message) : cause)}`)
  })
  if (!answer.ok) throw usage(`${url} answered with status ${answer.status}: the checkpoint was not taken`)
}

interface VerifyOptions {
  readonly data?: string
  readonly key?: string
  readonly expect?: readonly string[]
}

function verifyCommand(terminal: Terminal): Command {
  return command('verify', 'hold an export, or the log in a data folder, against its chains, and say what is wrong')
    .argument('[file]', 'an export')
    .option('--data <folder>', "a host's data folder instead of an export")
    .option('--key <file>', 'public keys of the database, as GET /v1/databases/<name>/keys gives them')
    .option('--expect <file>', 'a checkpoint that was kept elsewhere; may be repeated', addFile)
    .action(async (file: string | undefined, { data, key, expect = [] }: VerifyOptions) => {
      if ((file === undefined) === (data === undefined)) throw usage('verify what? Name an export, or a data folder with --data')
      const keys = key === undefined ? undefined : parsePublicKeys(readFileSync(key, 'utf8'))
      const checkpoints = expect.map((one) => parseCheckpoint(readFileSync(one, 'utf8')))
      const verdict = await verifyAnything({ file, data, keys, checkpoints, now: systemClock.now(), onProgress: (line) => terminal.progress(line) })
      terminal.result(verdict, verdictLines(verdict))
      if (verdict.problems.length > 0) throw new EndWith(EXIT_CODES.differs)
    })
}

function addFile(file: string, files: readonly string[] | undefined): readonly string[] {
  return [...(files ?? []), file]
}

/** `90d` ago, or a moment. */
function parseMoment(text: string): bigint {
  return parseTimestamp(text) ?? systemClock.now() - BigInt(parseSeconds(text)) * 1_000_000n
}
