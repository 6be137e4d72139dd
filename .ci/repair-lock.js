/**
 * Puts into package-lock.json what npm leaves out of it. Run it after a change of dependencies:
 *
 *   npm install && node .ci/repair-lock.js && npm ci
 *
 * With --check it changes nothing and fails when there is something to do.
 *
 * 1. Platform packages of other systems, when they could not be looked up while the lock was written:
 *    `npm ci` then refuses the lock on every machine (npm/cli#4828). An entry says what the name says
 *    and has no integrity until npm on a machine that sees the package writes one.
 * 2. `gypfile: false` of better-sqlite3: without it, an install from a lock compiles SQLite although the
 *    package brings its binaries, and fails where there is no compiler (npm/cli#9837).
 */
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const before = readFileSync(file, 'utf8')
const lock = JSON.parse(before)
const additions = Object.entries(lock.packages).flatMap(([parent, entry]) => missingOf(parent, entry))
const packages = { ...lock.packages, ...Object.fromEntries(additions) }
packages['node_modules/better-sqlite3'].gypfile = false
const sorted = Object.fromEntries(Object.entries(packages).toSorted(([left], [right]) => left.localeCompare(right, 'en')))
const after = `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`

if (before === after) {
  console.log('package-lock.json is complete')
} else if (process.argv.includes('--check')) {
  console.error('package-lock.json is not complete: run node .ci/repair-lock.js')
  process.exitCode = 1
} else {
  writeFileSync(file, after)
  console.log(`package-lock.json is complete now: ${additions.length} platform packages were missing`)
}

/** Optional dependencies of one package that it would not find, each beside the package itself. */
function missingOf(parent, { optionalDependencies = {}, dev }) {
  const folder = parent.slice(0, parent.lastIndexOf('node_modules/'))
  return Object.entries(optionalDependencies)
    .filter(([name, version]) => /^\d+\.\d+\.\d+[^ ]*$/.test(version) && found(parent, name)?.version !== version)
    .map(([name, version]) => [`${folder}node_modules/${name}`, { version, ...platformOf(name), ...(dev && { dev }), optional: true }])
}

/** What a package finds under a name: the nearest entry in a node_modules folder in or above it. */
function found(parent, name) {
  const entry = lock.packages[`${parent === '' ? '' : `${parent}/`}node_modules/${name}`]
  return entry ?? (parent === '' ? undefined : found(parent.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, ''), name))
}

function platformOf(name) {
  const [, os, cpu, libc] = /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(gnu|musl))?/.exec(name) ?? []
  if (os === undefined) return name.includes('wasm32') ? { cpu: ['wasm32'] } : {}
  return { cpu: [cpu], os: [os], ...(os === 'linux' && libc && { libc: [libc === 'gnu' ? 'glibc' : libc] }) }
}
