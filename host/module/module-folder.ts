/**
 * The files of a module as the compiler asks for them: the author's own, the guest SDK from this
 * package wherever the author's project lies, and the entry that the transform writes.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { KEYWORD_ALIASES } from '../../guest-sdk/transform/syntax.ts'
import { ENTRY_PATH, ENTRY_TEXT } from '../../guest-sdk/transform/index.ts'
import { HostError } from '../errors.ts'
import { isName, snakeCase } from '../schema/names.ts'
import { packageRoot } from './package-root.ts'

/** The file of a module's folder that its compilation begins with. */
export const INDEX_FILE = 'index.ts'
/** How asc spells a package's file while it looks through node_modules folders. */
const SDK_FILE = /(?:^|\/)node_modules\/remembrancer\/guest-sdk\/(.+)$/
/** A keyword as a name, `@default` or `{ in: … }`, or a comment or text in which the same letters mean nothing. */
const KEYWORD_NAMES = /\/\/.*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|@default\b|(?<=[{,]\s*)in(?=\s*:)/g

/** The text of one file, or null where there is none: asc then tries the next place. */
export async function readModuleFile(folder: string, name: string): Promise<string | null> {
  const posixName = name.split(path.sep).join('/')
  if (posixName === ENTRY_PATH) return ENTRY_TEXT
  if (posixName === 'asconfig.json') return null
  const sdkFile = SDK_FILE.exec(posixName)?.[1]
  if (sdkFile !== undefined) return readText(path.join(packageRoot, 'guest-sdk', sdkFile))
  const text = await readText(path.resolve(folder, name))
  return text === null ? null : text.replace(KEYWORD_NAMES, (found) => KEYWORD_ALIASES.get(found) ?? found)
}

/** @throws HostError ERR_BUILD when the folder holds no module. */
export async function requireModuleFolder(folder: string): Promise<void> {
  if ((await readText(path.join(folder, INDEX_FILE))) !== null) return
  throw new HostError('ERR_BUILD', `${folder} holds no ${INDEX_FILE}: give the folder of a module, or make one with remembrancer new`)
}

/** The module's name: what package.json says, else the folder's own name. */
export async function moduleName(folder: string): Promise<string> {
  const given = parsePackageName(await readText(path.join(folder, 'package.json'))) ?? path.basename(path.resolve(folder))
  const name = snakeCase(given.replace(/^@[^/]*\//, ''))
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 63)
  return isName(name) ? name : `module_${name}`.slice(0, 63)
}

function parsePackageName(text: string | null): string | undefined {
  if (text === null) return undefined
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && 'name' in parsed && typeof parsed.name === 'string' ? parsed.name : undefined
  } catch {
    return undefined
  }
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return null
  }
}
