/** The page in headless Chromium, with a microphone that plays a file: a person would see and hear the same. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { chromium } from 'playwright-core'

import { startOfflineVoice } from '../../../examples/offline-voice/server.ts'
import { espeak } from '../../../examples/offline-voice/speech.ts'
import { wavOf } from '../../../host/media/provider/wav.ts'
import { VoiceHost } from '../voice-host.ts'

const rate = 48_000
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** With SCREENSHOTS set, pictures are left in that folder. */
export async function talkInBrowser(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-browser-'))
  const pictures = process.env['SCREENSHOTS']
  const microphone = join(folder, 'microphone.wav')
  writeFileSync(microphone, wavOf(await sentence('My name is Sarah. There is water in my basement.'), rate))
  const provider = await startOfflineVoice(0)
  const host = await VoiceHost.start({ providerUrl: provider.url })
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...flags,
      '--headless=new',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${microphone}`,
      '--autoplay-policy=no-user-gesture-required',
    ],
  })
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    const picture = async (name: string): Promise<void> => {
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) })
    }
    await page.goto(host.pageUrl)
    await picture('1-before')
    await page.click('#call')
    await page.waitForSelector('#transcript li.caller', { timeout: 90_000 })
    await page.waitForSelector('#transcript li.tool', { timeout: 30_000 })
    await page.waitForSelector('.bar', { timeout: 30_000 })
    await picture('2-answered')
    await page.click('#call')
    await page.waitForSelector('#call:not(.on)', { timeout: 20_000 })
    await page.click('#call')
    await page.waitForSelector('text=/Welcome back/', { timeout: 60_000 })
    await page.waitForSelector('.orb[data-state="speaking"]', { timeout: 30_000 })
    await page.waitForTimeout(800)
    await picture('3-called-back')
    const transcript = await page.locator('#transcript').innerText()
    const peak = Number(await page.getAttribute('body', 'data-peak'))
    assert.ok(peak > 0.02, `the agent was not audible: ${peak}`)
    assert.deepEqual(problems, [])
    assert.match(transcript, /Welcome back/)
    const names = (await host.sql('sarah', 'select name from people')).flat()
    return `transcript shown, the agent's voice at a level of ${peak.toFixed(2)}, kept: ${names.join(', ') || 'a claim'}`
  } finally {
    await browser.close()
    await host.close()
    await provider.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** After the greeting, and then silence long enough for an answer; the file is played again and again. */
async function sentence(text: string): Promise<Int16Array> {
  const words = await espeak(text, rate)
  const samples = new Int16Array(words.length + 24 * rate)
  samples.set(words, 8 * rate)
  return samples
}
