/** `npm run spec [file...]`: the WebAssembly testsuite through the rewriter, a line a file. */
import { runSuite } from './suite.ts'

const reports = await runSuite(process.argv.slice(2))
const width = Math.max(...reports.map(({ file }) => file.length))
for (const { file, passed, leftOut, ofText, failures } of reports) {
  process.stdout.write(
    `${file.padEnd(width)}  ${String(passed).padStart(5)} passed  ${String(leftOut).padStart(4)} left out  ${String(ofText).padStart(4)} about text\n`,
  )
  for (const failure of failures) process.stdout.write(`  FAILED ${failure}\n`)
}
const total = (of: (report: (typeof reports)[number]) => number): number => reports.reduce((sum, report) => sum + of(report), 0)
process.stdout.write(`${total((one) => one.leftOut)} left out (features that the gate refuses), ${total((one) => one.ofText)} about the text format\n`)
const failed = total(({ failures }) => failures.length)
process.stdout.write(`${total(({ passed }) => passed)} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
