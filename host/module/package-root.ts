/**
 * Where this package lies. The AssemblyScript sources of the guest SDK and the WIT text stand at its
 * root, both in a checkout and in an installed package whose TypeScript was compiled into dist/.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { assert } from '../errors.ts'

export const packageRoot: string = findRoot(import.meta.dirname)

function findRoot(folder: string): string {
  const file = path.join(folder, 'package.json')
  if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'remembrancer') return folder
  const parent = path.dirname(folder)
  assert(parent !== folder, 'this file lies in the package remembrancer')
  return findRoot(parent)
}
