#!/usr/bin/env node
/** The command `remembrancer`: host/cli/main.ts, after the check of the Node that runs it. */
import '../entry/check-node.js'

const { codeUrl } = await import('../entry/source.js')
const { main } = await import(codeUrl('host/cli/main'))
await main(process.argv.slice(2))
