/**
 * Runs before anything else is loaded: better-sqlite3 ends an older Node with a segmentation fault,
 * and the sources need one that strips types. Written so that an old Node can parse it.
 */
const release = process.versions.node.split('.').map(Number)
const isTooOld = Number(process.versions.napi) < 10 || release[0] < 22 || (release[0] === 22 && release[1] < 19)

if (isTooOld) {
  console.error(
    'remembrancer needs Node.js 22.19 or later and this is ' +
      process.versions.node +
      ': install a newer one from https://nodejs.org, or in a clone run it with "npm run remembrancer --", which brings its own.',
  )
  process.exit(1)
}
