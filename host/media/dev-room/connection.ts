/**
 * One participant's two peer connections, as LiveKit has them: the publisher, which the client offers, and
 * the subscriber, which the server offers. Media stays on the loopback address.
 */
import { MediaStream, MediaStreamTrack, RTCPeerConnection, useOPUS } from 'werift'
import type { RTCDataChannel, RtpPacket } from 'werift'

/** Data channels, by LiveKit's labels: what must arrive, and what may be late. */
export const CHANNELS = ['_reliable', '_lossy'] as const
export type Channel = (typeof CHANNELS)[number]

/** With every candidate in it: there is one, and it is known at once. */
export interface Description {
  readonly kind: 'offer' | 'answer'
  readonly sdp: string
  readonly id: number
}

export interface ConnectionEvents {
  /** An answer to the client's offer, or an offer to the client. */
  signal(description: Description): void
  /** Media of the client began to arrive. */
  track(source: RtpSource): void
  data(channel: Channel, bytes: Buffer): void
}

/** Where packets of one track come from. */
export interface RtpSource {
  follow(listener: (packet: RtpPacket) => void): () => void
}

export interface Sent {
  readonly trackId: string
  /** The participant that the client shows it for. */
  readonly participantId: string
}

export class Connection {
  readonly #events: ConnectionEvents
  readonly #publisher: RTCPeerConnection
  readonly #subscriber: RTCPeerConnection
  readonly #channels = new Map<Channel, RTCDataChannel>()
  readonly #endings: (() => void)[] = []
  #offerId = 0
  #isOffering = false
  #isOfferDue = false
  #isClosed = false

  constructor(address: string, events: ConnectionEvents) {
    this.#events = events
    this.#publisher = peerConnection(address)
    this.#subscriber = peerConnection(address)
    this.#publisher.onTrack.subscribe((track) => {
      this.#events.track({
        follow: (listener) => {
          const { unSubscribe } = track.onReceiveRtp.subscribe((packet) => listener(packet))
          this.#endings.push(unSubscribe)
          return unSubscribe
        },
      })
    })
    this.#publisher.onDataChannel.subscribe((channel) => {
      const label = CHANNELS.find((one) => one === channel.label)
      if (label !== undefined) channel.onMessage.subscribe((bytes) => this.#events.data(label, Buffer.from(bytes)))
    })
    for (const label of CHANNELS) this.#channels.set(label, this.#subscriber.createDataChannel(label, { ordered: label === '_reliable' }))
  }

  /** The client's offer of what it publishes. */
  async publish(sdp: string, id: number): Promise<void> {
    await this.#publisher.setRemoteDescription({ type: 'offer', sdp })
    await this.#publisher.setLocalDescription(await this.#publisher.createAnswer())
    this.#events.signal({ kind: 'answer', sdp: this.#publisher.localDescription?.sdp ?? '', id })
  }

  /** The client's answer to the last offer. */
  async answered(sdp: string): Promise<void> {
    if (!this.#isOffering) return
    await this.#subscriber.setRemoteDescription({ type: 'answer', sdp })
    this.#isOffering = false
    if (this.#isOfferDue) await this.offer()
  }

  /** One offer at a time: what changes meanwhile goes into the next. */
  async offer(): Promise<void> {
    if (this.#isClosed) return
    this.#isOfferDue = this.#isOffering
    if (this.#isOffering) return
    this.#isOffering = true
    await this.#subscriber.setLocalDescription(await this.#subscriber.createOffer())
    this.#offerId += 1
    this.#events.signal({ kind: 'offer', sdp: this.#subscriber.localDescription?.sdp ?? '', id: this.#offerId })
  }

  async candidate(target: number, candidate: unknown): Promise<void> {
    const init = typeof candidate === 'object' && candidate !== null ? candidate : {}
    await (target === 0 ? this.#publisher : this.#subscriber).addIceCandidate(init)
  }

  /** Sends what `source` gives; returns how to stop. */
  async send(source: RtpSource, { trackId, participantId }: Sent): Promise<() => void> {
    const track = new MediaStreamTrack({ kind: 'audio', id: trackId })
    const streams = [new MediaStream({ id: `${participantId}|${trackId}` })]
    const transceiver = this.#subscriber.addTransceiver(track, { direction: 'sendonly', streams })
    const leave = source.follow((packet) => track.writeRtp(packet.clone()))
    await this.offer()
    return () => {
      leave()
      if (this.#isClosed) return
      this.#subscriber.removeTrack(transceiver.sender)
      void this.offer().catch(() => undefined)
    }
  }

  data(channel: Channel, bytes: Buffer): void {
    const open = this.#channels.get(channel)
    if (open?.readyState === 'open') open.send(bytes)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const end of this.#endings) end()
    await Promise.allSettled([this.#publisher.close(), this.#subscriber.close()])
  }
}

/** ICE-lite with one address: the client finds it, and nothing else of this machine is told or bound. */
function peerConnection(address: string): RTCPeerConnection {
  return new RTCPeerConnection({
    codecs: { audio: [useOPUS()], video: [] },
    iceServers: [],
    iceLite: true,
    iceUseIpv4: false,
    iceUseIpv6: false,
    iceAdditionalHostAddresses: [address],
    iceInterfaceAddresses: { udp4: address },
  })
}
