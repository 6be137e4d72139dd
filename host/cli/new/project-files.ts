/** The files of a new module: small enough to read at once, and tests that pass. */
import { projectModule, projectPolicies, projectTest } from './project-module.ts'

export interface ProjectOptions {
  /** The package's name. */
  readonly name: string
  /** What package.json says for `remembrancer`. */
  readonly packageSpec: string
}

export function projectFiles({ name, packageSpec }: ProjectOptions): ReadonlyMap<string, string> {
  return new Map([
    ['package.json', packageJson(name, packageSpec)],
    ['index.ts', projectModule],
    ['index.test.ts', projectTest],
    ['policies.test.md', projectPolicies],
    ['tsconfig.json', tsconfig],
    ['README.md', readme(name)],
    ['.gitignore', 'node_modules/\nbuild/\n.remembrancer/\n'],
    ['.npmrc', npmrc],
  ])
}

/** npm/cli#9837 */
const npmrc = `# SQLite's binaries are in their package; npm would compile it all the same when it installs from a lock.
ignore-scripts=true
`

function packageJson(name: string, packageSpec: string): string {
  return json({
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=22.19' },
    scripts: { dev: 'remembrancer dev', build: 'remembrancer build .', test: 'node --test' },
    dependencies: { remembrancer: packageSpec },
  })
}

/** AssemblyScript looks like TypeScript and is not: the editor takes its types from the guest SDK. */
const tsconfig = json({
  extends: 'remembrancer/guest-sdk/tsconfig.json',
  include: ['*.ts'],
})

function readme(name: string): string {
  return `# ${name}

The memory of a voice agent, as tables and reducers (\`index.ts\`).

    npm install
    npx remembrancer dev                                    # a host; publishes on each save
    npx remembrancer call remember_turn "My basement is under water"
    npx remembrancer query recall 20
    npm test
    npx remembrancer policy test                            # who sees what: policies.test.md
`
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
