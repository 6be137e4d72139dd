/**
 * How a new project is to depend on this package: on this version where it came from a registry, else
 * on the very file or folder that it was installed from, since no registry has that.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { z } from 'zod'

import { packageRoot } from '../../module/package-root.ts'

/** npm's own note of what it installed, at the top of each node_modules. */
const installed = z.object({ packages: z.record(z.string(), z.looseObject({ resolved: z.string().optional() })) })

/** A specifier for package.json; `folder` is the new project's, absolute. */
export function packageSpec(folder: string, root: string = packageRoot): string {
  const modules = path.dirname(root)
  if (path.basename(modules) !== 'node_modules') return fileSpec(folder, root)
  const resolved = resolvedFrom(modules, path.basename(root))
  if (resolved?.startsWith('file:')) return fileSpec(folder, path.resolve(path.dirname(modules), resolved.slice('file:'.length)))
  return resolved?.startsWith('git') ? resolved : `^${version(root)}`
}

function resolvedFrom(modules: string, name: string): string | undefined {
  try {
    return installed.parse(JSON.parse(readFileSync(path.join(modules, '.package-lock.json'), 'utf8'))).packages[`node_modules/${name}`]?.resolved
  } catch {
    // Other package managers leave no such note; what they installed came from a registry.
    return undefined
  }
}

function version(root: string): string {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
  return version
}

function fileSpec(folder: string, target: string): string {
  return `file:${path.relative(folder, target).split(path.sep).join('/')}`
}
