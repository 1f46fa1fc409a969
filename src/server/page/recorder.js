// Runs on the audio thread, where a missed deadline is a gap in somebody's sentence: it mixes to one channel, copies, and
// leaves counting, metering and encoding to the page.

// Eight render quanta: 21 ms at 48 kHz, so the level meter follows the voice and the page gets some fifty messages a second.
const CHUNK_FRAMES = 1024;

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.chunk = new Float32Array(CHUNK_FRAMES);
    this.filled = 0;
    this.running = true;
    this.port.onmessage = () => this.finish();
  }

  process([channels]) {
    // A source that has not begun, or has ended, has no channels at all.
    for (let frame = 0; this.running && frame < (channels[0]?.length ?? 0); frame++) {
      let sum = 0;
      for (const channel of channels) sum += channel[frame];
      this.chunk[this.filled++] = sum / channels.length;
      if (this.filled === CHUNK_FRAMES) this.send();
    }
    return this.running;
  }

  send() {
    const full = this.chunk.slice(0, this.filled);
    this.port.postMessage(full, [full.buffer]);
    this.filled = 0;
  }

  // The half-filled chunk holds the end of the last word; `null` tells the page that nothing follows.
  finish() {
    if (this.filled > 0) this.send();
    this.running = false;
    this.port.postMessage(null);
  }
}

registerProcessor("recorder", Recorder);
