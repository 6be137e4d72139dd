/**
 * The page on which one talks to an agent. Its address has in its fragment the database, the agent and a token, which
 * are not sent to anybody as part of it. With a voice it joins a room with livekit-client; without one it
 * types over a socket. Both carry the same messages (docs/voice.md).
 */
const { Room, RoomEvent, Track } = globalThis.LivekitClient
const topic = 'remembrancer'
const given = new URLSearchParams(location.hash.slice(1))
const database = given.get('database') ?? ''
const agent = given.get('agent') ?? ''
const token = given.get('token') ?? ''
const element = (id) => document.getElementById(id)
const people = ['Sarah', 'Tom']
let caller = localStorage.getItem('remembrancer caller') ?? people[0]
let entry
let line
let began = 0

element('place').textContent = `${agent} · ${database}`
document.title = `${agent} · Remembrancer`

async function ask(path, body) {
  const response = await fetch(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(answer.error?.message ?? `the host answered ${response.status}`)
  return answer
}

/* ---- a line: what carries the messages, and the voice ---- */

async function roomLine(place, onMessage, onEnd) {
  const room = new Room({
    adaptiveStream: false,
    dynacast: false,
    audioCaptureDefaults: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  })
  const say = (message) => room.localParticipant.publishData(new TextEncoder().encode(JSON.stringify(message)), { reliable: true, topic })
  room.on(RoomEvent.DataReceived, (bytes, _from, _kind, packetTopic) => {
    if (packetTopic === topic) onMessage(JSON.parse(new TextDecoder().decode(bytes)))
  })
  room.on(RoomEvent.TrackSubscribed, (track) => {
    if (track.kind !== Track.Kind.Audio) return
    element('voices').append(track.attach())
    watchLevel(track.mediaStreamTrack, say)
    say({ type: 'ready' })
  })
  room.on(RoomEvent.Disconnected, onEnd)
  await room.connect(place.url, place.token)
  await room.localParticipant.setMicrophoneEnabled(true)
  await room.startAudio()
  return {
    say,
    mute: (isMuted) => room.localParticipant.setMicrophoneEnabled(!isMuted),
    end: () => room.disconnect(),
  }
}

function socketLine(place, onMessage, onEnd) {
  const socket = new WebSocket(new URL(place.url, location.href.replace(/^http/, 'ws')))
  socket.addEventListener('message', ({ data }) => typeof data === 'string' && onMessage(JSON.parse(data)))
  socket.addEventListener('close', onEnd)
  return { say: (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message)), end: () => socket.close() }
}

let audio
let awaited

/** The orb moves with the agent's voice, and the host learns when the first sound of a turn is there. */
function watchLevel(mediaTrack, say) {
  audio ??= new AudioContext()
  void audio.resume()
  const analyser = audio.createAnalyser()
  analyser.fftSize = 512
  audio.createMediaStreamSource(new MediaStream([mediaTrack])).connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  const timer = setInterval(() => {
    if (mediaTrack.readyState === 'ended') return clearInterval(timer)
    analyser.getFloatTimeDomainData(samples)
    const level = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length)
    element('orb').style.setProperty('--level', Math.min(1, level * 6).toFixed(3))
    document.body.dataset.peak = Math.max(Number(document.body.dataset.peak ?? 0), level).toFixed(4)
    if (level > 0.01 && awaited !== undefined) {
      say({ type: 'hearing', turn: awaited })
      awaited = undefined
    }
  }, 20)
}

/* ---- a call ---- */

async function call() {
  element('call').disabled = true
  show('Connecting…', 'thinking')
  complain('')
  try {
    const hasRoom = entry.transports.includes('room')
    const body = { transport: hasRoom ? 'room' : 'websocket', ...(given.has('self') ? {} : { sender: { subject: caller.toLowerCase() } }) }
    const place = await ask(`/v1/databases/${encodeURIComponent(database)}/agents/${encodeURIComponent(agent)}/sessions`, body)
    line = await (hasRoom ? roomLine : socketLine)(place, receive, ended)
    began = performance.now()
    element('call').textContent = 'Hang up'
    element('call').classList.add('on')
    element('mute').hidden = !hasRoom
    for (const id of ['words', 'send']) element(id).disabled = false
    addLine('mark-line', `${caller} calls`)
  } catch (error) {
    complain(error.message)
    ended()
  } finally {
    element('call').disabled = false
  }
}

function hangUp() {
  line?.say({ type: 'hang_up' })
  const last = line
  setTimeout(() => last?.end(), 800)
}

function ended() {
  if (line !== undefined) addLine('mark-line', 'the call has ended')
  line = undefined
  awaited = undefined
  element('voices').replaceChildren()
  element('call').textContent = 'Call'
  element('call').classList.remove('on')
  element('mute').hidden = true
  for (const id of ['words', 'send']) element(id).disabled = true
  show('Not connected', 'idle')
  element('orb').style.removeProperty('--level')
}

const stateNames = { waiting: 'Connecting…', listening: 'Listening', thinking: 'Thinking', speaking: 'Speaking' }
const agentLines = new Map()

function receive(message) {
  switch (message.type) {
    case 'session':
      complain(message.note ?? '', false)
      agentLines.clear()
      return
    case 'state':
      return stateNames[message.state] && show(stateNames[message.state], message.state)
    case 'caller':
      awaited = message.turn
      return void addLine('caller', message.text)
    case 'agent':
      return showAgent(message)
    case 'tool':
      return void addLine(
        message.failed ? 'tool failed' : 'tool',
        `${message.tool}(${Object.values(message.arguments)
          .map((one) => JSON.stringify(one))
          .join(', ')})${message.result === null ? '' : ` → ${JSON.stringify(message.result)}`}`,
      )
    case 'recall':
      if (message.turn === 0) awaited = 0
      return showRows(message)
    case 'times':
      return showTimes(message)
    case 'problem':
      return complain(message.message)
    case 'ended':
      return line?.end()
  }
}

function showAgent({ turn, text, isDone, heard, isInterrupted }) {
  const shown = agentLines.get(turn) ?? addLine('agent', '')
  agentLines.set(turn, shown)
  const cut = isDone && isInterrupted ? heard.length : text.length
  shown.replaceChildren(text.slice(0, cut))
  if (cut < text.length) {
    const unheard = document.createElement('span')
    unheard.className = 'unheard'
    unheard.title = 'not heard: the agent was interrupted here'
    unheard.textContent = text.slice(cut)
    shown.append(unheard)
  }
  if (isDone) agentLines.delete(turn)
  shown.scrollIntoView({ block: 'end' })
}

function addLine(kind, text) {
  element('empty').hidden = true
  const item = document.createElement('li')
  item.className = kind
  item.textContent = text
  element('transcript').append(item)
  item.scrollIntoView({ block: 'end' })
  return item
}

/* ---- memory and time ---- */

function showRows({ ms, isLate, rows }) {
  element('recall-time').textContent = isLate ? 'late: of the turn before' : `${ms.toFixed(1)} ms`
  const cards = Object.entries(rows ?? {}).flatMap(([name, value]) =>
    Array.isArray(value) ? value.slice(-8).map((row) => card(name, row)) : value === null ? [] : [card(name, value)],
  )
  element('rows').replaceChildren(...(cards.length > 0 ? cards : [text('p', 'dim', 'Nothing is known of this caller yet.')]))
}

const hidden = new Set(['id', 'caller', 'session', 'turn', 'intended'])

function card(name, row) {
  const box = document.createElement('div')
  if (typeof row !== 'object' || row === null) {
    box.className = 'row'
    box.append(text('b', '', name), String(row))
    return box
  }
  if ('role' in row && 'content' in row) {
    box.className = 'row line'
    box.append(text('b', '', row.role), text('span', '', row.content))
    return box
  }
  box.className = 'row'
  const list = document.createElement('dl')
  for (const [column, value] of Object.entries(row)) {
    if (!hidden.has(column) && value !== null) list.append(text('dt', '', column.replaceAll('_', ' ')), text('dd', '', shownValue(value)))
  }
  box.append(text('b', '', name), list)
  return box
}

function shownValue(value) {
  return /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value).toLocaleString() : String(value)
}

const parts = [
  ['endpoint', 'end of speech', (t) => [0, t.endpoint]],
  ['transcript', 'words', (t) => [t.endpoint ?? 0, t.transcript]],
  ['memory', 'memory', (t) => [t.transcript ?? 0, t.recall]],
  ['model', 'model', (t) => [t.recall ?? 0, t.firstToken]],
  ['speech', 'voice made', (t) => [t.firstToken ?? 0, t.firstAudio]],
  ['network', 'on its way', (t) => [t.firstAudio ?? t.firstToken ?? 0, t.heard]],
]
let longest = 1

function showTimes({ turn, times }) {
  const whole = times.heard ?? times.firstAudio ?? times.firstToken
  if (whole === undefined) return
  longest = Math.max(longest, whole)
  const bar = document.createElement('div')
  bar.className = 'bar'
  const track = document.createElement('div')
  track.className = 'track'
  for (const [kind, label, span] of parts) {
    const [from, to] = span(times)
    if (to === undefined) continue
    const piece = document.createElement('i')
    piece.className = kind
    const tookMs = Math.max(0, to - from)
    piece.style.flex = `${String(tookMs)} 0 0`
    piece.title = `${String(label)}: ${tookMs.toFixed(1)} ms`
    track.append(piece)
  }
  const { memory, memoryShare } = times
  const percent = ((memoryShare ?? 0) * 100).toFixed(memoryShare < 0.1 ? 1 : 0)
  const share = memoryShare === undefined ? '' : `memory ${memory.toFixed(1)} ms, ${percent} % of the turn`
  bar.append(text('span', '', String(turn)), track, text('span', 'sum', `${whole.toFixed(0)} ms`), text('span', 'share', share))
  const bars = element('bars')
  bars.querySelector('.dim')?.remove()
  bars.prepend(bar)
  while (bars.children.length > 8) bars.lastChild.remove()
  showLegend()
}

function showLegend() {
  const legend = element('legend')
  if (!legend.hidden) return
  legend.hidden = false
  for (const [kind, label] of parts) {
    const item = document.createElement('li')
    const colour = document.createElement('i')
    colour.className = kind
    item.append(colour, label)
    legend.append(item)
  }
}

function text(tag, kind, content) {
  const made = document.createElement(tag)
  if (kind !== '') made.className = kind
  made.textContent = content
  return made
}

function show(words, state) {
  element('state').textContent = words
  element('orb').dataset.state = state
}

function complain(message, isProblem = true) {
  element('note').textContent = message
  element('note').classList.toggle('problem', isProblem && message !== '')
}

/* ---- who, and the buttons ---- */

function showPeople() {
  const names = people.includes(caller) ? people : [...people, caller]
  element('people').replaceChildren(
    ...names.map((name) => {
      const button = text('button', '', name)
      button.type = 'button'
      button.setAttribute('aria-pressed', String(name === caller))
      button.addEventListener('click', () => choose(name))
      return button
    }),
  )
}

function choose(name) {
  if (line !== undefined) hangUp()
  caller = name
  localStorage.setItem('remembrancer caller', name)
  element('transcript').replaceChildren()
  element('empty').hidden = false
  element('rows').replaceChildren(text('p', 'dim', 'Rows appear here before each answer.'))
  element('recall-time').textContent = ''
  showPeople()
}

element('other').addEventListener('change', ({ target }) => {
  const name = target.value.trim()
  target.value = ''
  if (name !== '') choose(name)
})
element('call').addEventListener('click', () => (line === undefined ? void call() : hangUp()))
element('mute').addEventListener('click', ({ target }) => {
  const isMuted = target.getAttribute('aria-pressed') !== 'true'
  target.setAttribute('aria-pressed', String(isMuted))
  target.textContent = isMuted ? 'Unmute' : 'Mute'
  void line?.mute?.(isMuted)
})
element('say').addEventListener('submit', (event) => {
  event.preventDefault()
  const words = element('words').value.trim()
  if (words === '' || line === undefined) return
  line.say({ type: 'say', text: words })
  element('words').value = ''
})
setInterval(() => {
  const seconds = Math.floor((performance.now() - began) / 1_000)
  element('clock').textContent = line === undefined ? '\u00a0' : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}, 250)

showPeople()
if (given.has('self')) document.querySelector('.who').hidden = true
try {
  const { agents } = await ask(`/v1/databases/${encodeURIComponent(database)}/agents`)
  entry = agents.find((one) => one.agent === agent)
  if (entry === undefined) throw new Error(`${database} has no agent ${agent}: is its module published?`)
  complain(entry.note ?? '', false)
} catch (error) {
  complain(error.message)
  element('call').disabled = true
}
