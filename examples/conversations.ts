/** Two callers whose stories are easy to mix up: water in a basement, and a car in a flood. */

export interface Story {
  readonly subject: string
  readonly name: string
  readonly kind: string
  readonly summary: string
  /** Alternating: the caller first, then the agent. */
  readonly turns: readonly string[]
}

export const sarah: Story = {
  subject: 'sarah',
  name: 'Sarah',
  kind: 'water damage',
  summary: 'the water in your basement',
  turns: [
    'Hi, there is water everywhere in my basement.',
    'I am sorry to hear that. Is everybody safe?',
    'Yes, we are upstairs. It came in over night.',
    'Good. Do you know where it came from?',
    'From the floor drain, after all that rain.',
    'Is the water still rising?',
    'No, it stopped at the second step.',
    'Is anything electric down there?',
    'The washing machine and the heating.',
    'Please switch the fuse off before you go down.',
    'Done. The meter box is in the hall.',
    'Thank you. Can you send photos later?',
    'I have taken twelve already.',
    'Perfect. Since when do you live there?',
    'For nine years. It never happened before.',
    'Is the basement finished or bare?',
    'Half of it is my workshop.',
    'I note a workshop. Any tools under water?',
    'The table saw, I am afraid.',
    'We will look at that too. May a surveyor come?',
    'Yes, any day before noon.',
    'Thursday at ten, would that do?',
    'Thursday is fine.',
    'Then it is booked. I am here whenever you call.',
  ],
}

export const bob: Story = {
  subject: 'bob',
  name: 'Bob',
  kind: 'flood damage',
  summary: 'the car that stood in the flood',
  turns: [
    'Hi, there is water everywhere in my car.',
    'I am sorry to hear that. Is everybody safe?',
    'Yes. It stood in the street over night.',
    'Good. How high did the water come?',
    'Up to the seats, after all that rain.',
    'Please do not start the engine.',
  ],
}
