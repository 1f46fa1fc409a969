// The kiosk page: takes a question (spoken, typed, with or without a picture), sends it as one turn, and shows what came back.
// It promises that the microphone is open only while somebody talks, that the camera stays off until somebody turns it on, and
// that nothing of one visitor is left for the next. It leaves hearing, seeing and deciding to the server: it never guesses an
// answer. Text from the server is only ever set as text, never as markup.

// whisper hears thirty seconds at a time.
const RECORDING_LIMIT_S = 30;
// People let go on their last syllable. A quarter of a second more keeps the consonant it ends in.
const RELEASE_TAIL_MS = 250;
// A shorter press is a tap: it begins a recording that the next tap ends, for those who cannot hold a button or use a screen reader.
const TAP_MS = 350;
const IDLE_LIMIT_S = 90;
const IDLE_WARNING_S = 10;
// A turn takes seconds on a small machine; after this the person is better served by a colleague.
const TURN_LIMIT_MS = 60_000;
const HEALTH_EVERY_MS = 2_000;
const BUSY_RETRIES = 2;
const BUSY_WAIT_MAX_S = 5;
// Wide enough to read a price label, small enough to encode while the person takes a breath.
const PHOTO_SIDE_MAX = 1280;
const PHOTO_QUALITY = 0.88;

const $ = (id) => document.getElementById(id);
const microphone = { context: null, recordings: 0, held: null };
const camera = { stream: null };
const visit = newVisit();
let lastActivity = performance.now();

function newVisit() {
  return { session: null, leave: new AbortController(), begun: false, lastQuestion: null, photoUrl: null, watching: false };
}

const STATUS = {
  ready: "Ready when you are",
  opening: "One moment, opening the microphone",
  listening: "Listening",
  thinking: "Thinking",
  answered: "Here is your answer",
  not_heard: "I did not hear anything",
};
const TALK_LABEL = { held: "Let go to send", tapped: "Tap to send", idle: "Hold to talk", thinking: "One moment" };

function show(state, sentence = STATUS[state]) {
  document.body.dataset.state = state;
  // Written only when it changes, as a screen reader repeats a live region for every write.
  if ($("status").textContent !== sentence) $("status").textContent = sentence;
  $("seconds").textContent = "";
  showLevel(0);
  $("talk").setAttribute("aria-disabled", String(state === "thinking"));
  $("talk-label").textContent = state === "thinking" ? TALK_LABEL.thinking : TALK_LABEL.idle;
  $("try-again").hidden = !(state === "error" && visit.lastQuestion);
  for (const button of document.querySelectorAll(".example, #typed button, #try-again")) button.disabled = isBusy();
}

function isBusy() {
  return ["opening", "listening", "thinking"].includes(document.body.dataset.state);
}

function showLevel(level) {
  document.body.style.setProperty("--level", level.toFixed(3));
}

async function press() {
  if (microphone.held || isBusy()) return;
  const held = (microphone.held = { pressedAt: performance.now(), tapped: false, recording: null });
  show("opening");
  let recording;
  try {
    recording = await record((heard) => showHeard(held, heard));
  } catch (error) {
    if (microphone.held === held) {
      microphone.held = null;
      show("error", microphoneSentence(error));
    }
    return;
  }
  if (microphone.held !== held) {
    // Given up while it opened, most likely to answer the browser's question whether the microphone may be used.
    recording.discard();
    return;
  }
  held.recording = recording;
  show("listening");
  $("talk-label").textContent = held.tapped ? TALK_LABEL.tapped : TALK_LABEL.held;
}

function release() {
  const held = microphone.held;
  if (!held || held.tapped) return;
  if (performance.now() - held.pressedAt < TAP_MS) {
    held.tapped = true;
    if (held.recording) $("talk-label").textContent = TALK_LABEL.tapped;
  } else if (held.recording) {
    sendRecording(held);
  } else {
    microphone.held = null;
    show("ready", "Now hold the button and speak");
  }
}

function pressOrSend() {
  const held = microphone.held;
  if (!held) return press();
  if (!held.tapped) return;
  if (held.recording) return sendRecording(held);
  // Tapped again before the microphone opened: perhaps the browser's question waits for an answer that never comes.
  discardRecording();
  show("ready");
}

function discardRecording() {
  microphone.held?.recording?.discard();
  microphone.held = null;
}

async function sendRecording(held) {
  if (held.sending) return;
  held.sending = true;
  // The picture belongs to the moment of the question, so it is taken before the tail is waited for.
  const photo = takePhoto();
  const heard = await held.recording.finish();
  if (microphone.held !== held) return;
  microphone.held = null;
  await ask({ audio: encodeWav(heard.chunks, heard.sampleRate), photo });
}

function showHeard(held, { level, seconds }) {
  if (microphone.held !== held || !held.recording) return;
  showLevel(level);
  const left = RECORDING_LIMIT_S - seconds;
  $("seconds").textContent = left > 5 ? `${Math.floor(seconds)} s` : `${Math.ceil(Math.max(left, 0))} s left`;
  if (left <= 0) sendRecording(held);
}

async function record(onHeard) {
  if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
  // Gain control is off: it turns the level up in the silence before a question and clips the first word of it.
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: false },
  });
  const stopStream = () => stream.getTracks().forEach((track) => track.stop());
  microphone.recordings++;
  const rest = (context) => --microphone.recordings === 0 && context?.suspend();
  try {
    const context = await openContext();
    const recorder = new AudioWorkletNode(context, "recorder");
    const source = context.createMediaStreamSource(stream);
    const chunks = [];
    let frames = 0;
    let onEnd;
    const ended = new Promise((resolve) => (onEnd = resolve));
    recorder.port.onmessage = ({ data }) => {
      if (data === null) return onEnd();
      // Bounded here too, since the tail is still recorded after the limit was seen.
      if (frames >= RECORDING_LIMIT_S * context.sampleRate) return;
      const chunk = data.subarray(0, RECORDING_LIMIT_S * context.sampleRate - frames);
      chunks.push(chunk);
      frames += chunk.length;
      onHeard({ level: loudness(chunk), seconds: frames / context.sampleRate });
    };
    // The recorder writes nothing to its output; browsers only run what leads to a destination.
    source.connect(recorder).connect(context.destination);
    const close = () => {
      source.disconnect();
      recorder.disconnect();
      stopStream();
      rest(context);
    };
    return {
      async finish() {
        await pause(RELEASE_TAIL_MS);
        recorder.port.postMessage("finish");
        // A stalled audio thread costs the last 21 ms, not the question.
        await Promise.race([ended, pause(RELEASE_TAIL_MS)]);
        close();
        return { chunks, sampleRate: context.sampleRate };
      },
      discard() {
        recorder.port.postMessage("finish");
        close();
      },
    };
  } catch (error) {
    stopStream();
    rest();
    throw error;
  }
}

// One context for all recordings, made at the first press: browsers let no page make sound work before it was touched.
async function openContext() {
  microphone.context ??= (async () => {
    const context = new AudioContext({ latencyHint: "interactive" });
    await context.audioWorklet.addModule("/recorder.js");
    return context;
  })();
  try {
    const context = await microphone.context;
    await context.resume();
    return context;
  } catch (error) {
    microphone.context = null;
    throw error;
  }
}

// 0 at -60 dBFS (a quiet shop) and 1 at -10 dBFS (a voice close by): steps that look even to the eye, as they sound to the ear.
function loudness(chunk) {
  let power = 0;
  for (const sample of chunk) power += sample * sample;
  const decibels = 10 * Math.log10(power / chunk.length + 1e-12);
  return Math.min(1, Math.max(0, (decibels + 60) / 50));
}

function microphoneSentence(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The microphone is not allowed here, so please type your question.";
    case "SecurityError":
      return "This page was opened over plain http, where browsers allow no microphone, so please type your question.";
    case "NotFoundError":
      return "No microphone is connected, so please type your question.";
    default:
      return "The microphone does not work right now, so please type your question.";
  }
}

// A canonical RIFF/WAVE file, 16-bit mono PCM at the rate the sound was recorded with; the server resamples.
function encodeWav(chunks, sampleRate) {
  const frames = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const bytes = new DataView(new ArrayBuffer(44 + frames * 2));
  const text = (at, word) => [...word].forEach((letter, i) => bytes.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  bytes.setUint32(4, 36 + frames * 2, true);
  text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, sampleRate, true);
  bytes.setUint32(28, sampleRate * 2, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  text(36, "data");
  bytes.setUint32(40, frames * 2, true);
  let at = 44;
  for (const chunk of chunks) {
    for (const sample of chunk) {
      bytes.setInt16(at, Math.round(Math.min(1, Math.max(-1, sample)) * 32767), true);
      at += 2;
    }
  }
  return new Blob([bytes], { type: "audio/wav" });
}

async function turnCameraOn() {
  const leave = visit.leave.signal;
  $("camera-toggle").disabled = true;
  try {
    if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
    const stream = await navigator.mediaDevices.getUserMedia({
      // A phone should look at the product, not at its owner; a kiosk has one camera and takes that.
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 960 } },
    });
    if (leave.aborted) {
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    camera.stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => turnCameraOff("The camera was unplugged."));
    const facing = stream.getVideoTracks()[0].getSettings().facingMode;
    // People steer their hand by what they see, as in a mirror; only the preview is turned, never the picture that is sent.
    $("preview").classList.toggle("mirrored", facing !== "environment");
    $("preview").srcObject = stream;
    await $("preview").play();
    visit.begun = true;
    showCamera("on", "Your next question takes a picture. It stays on this machine.");
  } catch (error) {
    turnCameraOff(cameraSentence(error));
  } finally {
    $("camera-toggle").disabled = false;
  }
}

function turnCameraOff(sentence = "The camera is off. Pictures stay on this machine.") {
  camera.stream?.getTracks().forEach((track) => track.stop());
  camera.stream = null;
  $("preview").srcObject = null;
  showCamera("off", sentence);
}

function showCamera(onOrOff, sentence) {
  document.body.dataset.camera = onOrOff;
  $("camera-toggle").textContent = onOrOff === "on" ? "Turn camera off" : "Hold it up";
  $("privacy-text").textContent = sentence;
  $("start-over").hidden = !visit.begun;
}

function cameraSentence(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The camera is not allowed here; you can still ask without a picture.";
    case "SecurityError":
      return "This page was opened over plain http, where browsers allow no camera; you can still ask without a picture.";
    case "NotFoundError":
      return "No camera is connected; you can still ask without a picture.";
    default:
      return "The camera does not work right now; you can still ask without a picture.";
  }
}

async function takePhoto() {
  const video = $("preview");
  if (!camera.stream || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
  const scale = Math.min(1, PHOTO_SIDE_MAX / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", PHOTO_QUALITY));
}

// `question` is { audio?, photo?, text? }, the photo perhaps still being encoded. It is kept until it was answered, so that
// "Try again" loses nobody's words.
async function ask(question) {
  const leave = visit.leave.signal;
  visit.begun = true;
  visit.lastQuestion = question;
  $("start-over").hidden = false;
  show("thinking");
  try {
    question.photo = await question.photo;
    const reply = await sendTurn(question, leave);
    visit.lastQuestion = null;
    if (question.text === $("question").value.trim()) $("question").value = "";
    showReply(reply, question);
  } catch (error) {
    if (leave.aborted) return;
    show("error", error.sentence ?? "Something went wrong on this screen. Please try again, or ask a member of staff.");
    if (error.unreachable) watchForRecovery(leave);
    if (!error.sentence) throw error;
  } finally {
    if (!leave.aborted) lastActivity = performance.now();
  }
}

async function sendTurn(question, leave) {
  let newSessions = 0;
  let waits = 0;
  for (;;) {
    try {
      visit.session ??= (await call("/v1/sessions", null, leave)).session;
      return await call(`/v1/sessions/${encodeURIComponent(visit.session)}/turns`, turnBody(question), leave);
    } catch (error) {
      if (error.code === "unknown_session" && newSessions++ < 1) {
        visit.session = null;
      } else if (error.status === 503 && waits++ < BUSY_RETRIES) {
        show("thinking", "Many people are asking at once. One moment please");
        await pause(Math.min(error.retryAfterS, BUSY_WAIT_MAX_S) * 1000);
        if (leave.aborted) throw error;
      } else {
        throw error;
      }
    }
  }
}

function turnBody({ audio, photo, text }) {
  const body = new FormData();
  if (audio) body.append("audio", audio, "question.wav");
  if (photo) body.append("photo", photo, "photo.jpg");
  if (text) body.append("text", text);
  return body;
}

// Posts and returns the JSON that came back, or throws an error with a sentence for the person in front of the screen.
async function call(path, body, leave) {
  const signal = AbortSignal.any([leave, AbortSignal.timeout(TURN_LIMIT_MS)]);
  let response;
  let reply;
  try {
    response = await fetch(path, { method: "POST", body, signal });
    reply = JSON.parse(await response.text());
  } catch (error) {
    if (error.name === "TimeoutError") throw failure(error, "This takes too long today. Please try again, or ask a member of staff.");
    if (!(error instanceof SyntaxError)) {
      throw failure(error, "The service desk cannot be reached. Please wait a moment, or ask a member of staff.", { unreachable: true });
    }
  }
  if (response.ok && reply) return reply;
  const sentence = reply?.error?.message ?? "The service desk could not answer that. Please try again, or ask a member of staff.";
  throw failure(new Error(`${path}: ${response.status}`), sentence, {
    status: response.status,
    code: reply?.error?.code,
    retryAfterS: Number(response.headers.get("Retry-After")) || 1,
  });
}

function failure(cause, sentence, facts = {}) {
  return Object.assign(new Error(sentence, { cause }), { sentence, ...facts });
}

async function watchForRecovery(leave) {
  if (visit.watching) return;
  visit.watching = true;
  while (!leave.aborted && document.body.dataset.state === "error") {
    await pause(HEALTH_EVERY_MS);
    const response = await fetch("/health", { signal: leave, cache: "no-store" }).catch(() => null);
    if (!response?.ok || leave.aborted || document.body.dataset.state !== "error") continue;
    show("ready", "The service desk is back. Please ask again");
    $("try-again").hidden = !visit.lastQuestion;
  }
  if (!leave.aborted) visit.watching = false;
}

function showReply(reply, question) {
  $("welcome").hidden = true;
  const spoken = question.audio !== undefined;
  const words = spoken ? reply.transcript?.text : question.text;
  $("said").hidden = !words;
  $("said-how").textContent = spoken ? "You said:" : "You asked:";
  $("said-words").textContent = words ?? "";
  $("answer").hidden = !reply.answer?.text;
  $("answer").textContent = unbroken(reply.answer?.text ?? "");
  $("answer").dataset.kind = reply.answer?.kind ?? "";
  $("details").hidden = !reply.answer?.details;
  $("details").textContent = unbroken(reply.answer?.details ?? "");
  $("handoff").hidden = !reply.handoff;
  showHelped(reply);
  showBasket(reply.basket);
  showProduct(reply.sighting, question.photo);
  showRecommendations(reply.recommendations ?? [], reply.turn);
  showWhy(reply);
  document.querySelector(".stage").scrollTop = 0;
  // Where the page scrolls as a whole, the answer is above the field in which the question was typed.
  $("spoken").scrollIntoView({ block: "nearest" });
  document.body.dataset.turn = reply.turn;
  show(reply.answer?.kind === "not_heard" ? "not_heard" : "answered");
}

function showProduct(sighting, photo) {
  $("product").hidden = !sighting;
  if (visit.photoUrl) URL.revokeObjectURL(visit.photoUrl);
  visit.photoUrl = sighting && photo ? URL.createObjectURL(photo) : null;
  $("product-photo").hidden = !visit.photoUrl;
  if (visit.photoUrl) $("product-photo").src = visit.photoUrl;
  else $("product-photo").removeAttribute("src");
  if (!sighting) return;
  const nearest = sighting.top?.[0]?.label ?? sighting.label;
  $("product").dataset.known = sighting.known;
  $("product").dataset.product = sighting.product ?? "";
  $("product-certainty").textContent = sighting.known ? certainty(sighting.probability) : "I do not know this one";
  $("product-name").textContent = sighting.known ? sighting.label : `It looks most like ${nearest}`;
  $("product-price").hidden = !sighting.price;
  $("product-price").textContent = sighting.price ?? "";
  $("product-note").hidden = !sighting.advice;
  $("product-note").textContent = sighting.advice ? `${capitalized(sighting.advice)}.`.replace(/([.!?])\.$/, "$1") : "";
}

// People read "0.93" as a school mark. The words promise no more than a calibrated probability can keep.
function certainty(probability) {
  if (probability >= 0.9) return "Almost certain";
  if (probability >= 0.6) return "Probably";
  return "Not sure, but perhaps";
}

function capitalized(sentence) {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

// A line that ends in "2" and goes on with "euros 49" is read twice, so an amount keeps its unit beside it.
function unbroken(text) {
  return text.replace(/(\d) (?=(euros?|cents?|kilos?|grams?|litres?|kg|g|ml|l)\b)/gi, "$1\u00a0").replace(/\b(euros?) (?=\d)/gi, "$1\u00a0");
}

// Only what could be right or wrong is asked about: silence and courtesies are neither.
function showHelped({ answer, turn }) {
  $("helped").hidden = !answer?.text || ["not_heard", "smalltalk", "clarify"].includes(answer.kind);
  for (const button of $("helped").children) {
    button.setAttribute("aria-pressed", "false");
    button.onclick = () => choose(button, { outcome: button.dataset.outcome, turn });
  }
}

function showBasket(basket) {
  $("basket").hidden = !basket?.lines?.length;
  $("basket-total").textContent = unbroken(basket?.total ?? "");
  $("basket-lines").replaceChildren(
    ...(basket?.lines ?? []).map(({ name, quantity, parts, price }) => {
      const line = element("li");
      const chosen = Object.values(parts ?? {}).map(({ value, amount }) => (amount ? `${amount} ${value}` : value));
      line.append(element("span", {}, `${quantity} × ${name}${chosen.length ? `, ${chosen.join(", ")}` : ""}`));
      if (price) line.append(element("span", { class: "price" }, unbroken(price)));
      return line;
    }),
  );
}

// Tells what was chosen, and shows at once that it was. Asking goes on without it: who cannot be told is not worth an error on the screen.
function choose(button, told) {
  for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
  if (!visit.session) return;
  const headers = { "Content-Type": "application/json" };
  const signal = AbortSignal.any([visit.leave.signal, AbortSignal.timeout(TURN_LIMIT_MS)]);
  fetch(`/v1/sessions/${encodeURIComponent(visit.session)}/feedback`, { method: "POST", headers, body: JSON.stringify(told), signal }).catch(() => {});
}

function showRecommendations(recommendations, turn) {
  $("recommendations").hidden = recommendations.length === 0;
  $("recommendation-list").replaceChildren(
    ...recommendations.map(({ product, name, price, reason }) => {
      const card = element("li", { product });
      card.append(element("h3", {}, unbroken(name)));
      if (price) card.append(element("p", { class: "price" }, unbroken(price)));
      if (reason) card.append(element("p", { class: "reason" }, capitalized(reason)));
      card.append(offerChoices(product, name, turn));
      return card;
    }),
  );
}

function offerChoices(product, name, turn) {
  const choices = element("div", { class: "choices" });
  choices.setAttribute("role", "group");
  choices.setAttribute("aria-label", name);
  for (const [outcome, text] of [["accepted", "I take it"], ["rejected", "No, thanks"]]) {
    const button = element("button", { class: "quiet", outcome }, text);
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => choose(button, { outcome, turn, product }));
    choices.append(button);
  }
  return choices;
}

function element(name, { class: className, ...data } = {}, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  Object.assign(made.dataset, data);
  made.textContent = text;
  return made;
}

// Staff see the figures as they came. Shoppers see none of this unless they open it, as it describes them and not the shop.
function showWhy({ understanding, prediction, sighting, transcript, timings_ms: timings }) {
  const groups = [];
  if (understanding || transcript) {
    groups.push(
      group("Understood", [
        transcript && ["Heard with confidence", percent(transcript.confidence)],
        understanding && ["Intent", `${words(understanding.intent)}, ${percent(understanding.confidence)}`],
        understanding && ["A question for this shop", understanding.in_scope ? "yes" : "no"],
        ...(understanding?.entities ?? []).map(({ kind, text, value }) => [capitalized(words(kind)), `“${text}” as ${value}`]),
        typeof understanding?.sentiment === "number" && ["Mood, from −1 to 1", signed(understanding.sentiment)],
      ]),
    );
  }
  if (sighting) {
    groups.push(group("Seen", (sighting.top ?? []).map(({ label, probability }) => [label, percent(probability), probability])));
  }
  if (prediction) {
    const { because, shares: _shares, ...chances } = prediction;
    groups.push(group("Predicted", Object.entries(chances).map(([name, chance]) => [capitalized(words(name)), percent(chance), chance])));
    groups.push(group("Predicted because of", (because ?? []).map(({ feature, effect }) => [capitalized(words(feature)), signed(effect)])));
  }
  const stages = Object.entries(timings ?? {}).map(([stage, ms]) => [capitalized(words(stage)), `${Math.round(ms)} ms`, ms / Math.max(timings.total ?? ms, 1)]);
  groups.push(group("Time taken", stages));
  $("why-body").replaceChildren(...groups.filter(Boolean));
  $("why").hidden = $("why-body").childElementCount === 0;
}

// Rows are [name, figure, share of the full bar], the last one optional; a group without rows is no group.
function group(title, rows) {
  const shown = rows.filter(Boolean);
  if (shown.length === 0) return null;
  const section = element("section");
  const list = element("dl");
  for (const [name, figure, share] of shown) {
    const row = element("div");
    row.append(element("dt", {}, name), element("dd", {}, figure));
    if (share !== undefined) {
      row.classList.add("with-bar");
      row.style.setProperty("--share", Math.min(1, Math.max(0, share)));
    }
    list.append(row);
  }
  section.append(element("h3", { class: "label" }, title), list);
  return section;
}

function words(name) {
  return String(name).replaceAll(/[_.]/g, " ");
}

function percent(probability) {
  return `${Math.round(probability * 100)} %`;
}

function signed(number) {
  return `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(2)}`;
}

function startOver() {
  visit.leave.abort();
  if (visit.photoUrl) URL.revokeObjectURL(visit.photoUrl);
  discardRecording();
  Object.assign(visit, newVisit());
  turnCameraOff();
  for (const id of ["said", "answer", "details", "handoff", "helped", "basket", "product", "recommendations", "why", "start-over"]) $(id).hidden = true;
  for (const id of ["said-words", "answer", "details", "basket-lines", "basket-total", "product-name", "recommendation-list", "why-body"]) $(id).replaceChildren();
  $("product-photo").removeAttribute("src");
  $("why").open = false;
  $("question").value = "";
  $("welcome").hidden = false;
  delete document.body.dataset.turn;
  if ($("leaving").open) $("leaving").close();
  show("ready");
}

function watchForIdleness() {
  const untouched = !visit.begun && $("question").value === "";
  if (untouched || isBusy()) lastActivity = performance.now();
  const left = IDLE_LIMIT_S - (performance.now() - lastActivity) / 1000;
  if (left <= 0) return startOver();
  const leaving = left <= IDLE_WARNING_S;
  if (leaving) $("leaving-seconds").textContent = Math.ceil(left);
  if (leaving && !$("leaving").open) $("leaving").showModal();
  if (!leaving && $("leaving").open) $("leaving").close();
}

function stillHere() {
  lastActivity = performance.now();
  watchForIdleness();
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// Space talks from anywhere, except where it already has a meaning of its own.
function isTalkKey(event) {
  const elsewhere = "input, textarea, button:not(#talk), summary, a, dialog";
  return event.code === "Space" && !event.ctrlKey && !event.altKey && !event.metaKey && !event.target.closest(elsewhere);
}

function listenForHands() {
  const talk = $("talk");
  talk.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    talk.setPointerCapture(event.pointerId);
    pressOrSend();
  });
  talk.addEventListener("pointerup", release);
  talk.addEventListener("pointercancel", release);
  // A long touch is how one talks here, not how one opens a menu.
  talk.addEventListener("contextmenu", (event) => event.preventDefault());
  // No pointer made this click: it came from the Enter key or a screen reader, neither of which can hold.
  talk.addEventListener("click", (event) => {
    if (event.detail !== 0) return;
    pressOrSend();
    if (microphone.held && !microphone.held.sending) microphone.held.tapped = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && microphone.held) {
      discardRecording();
      show("ready");
    }
    // A held Enter key repeats its click, and every second one would send.
    if (event.target === talk && event.key === "Enter" && event.repeat) event.preventDefault();
    if (!isTalkKey(event)) return;
    event.preventDefault();
    if (!event.repeat) pressOrSend();
  });
  document.addEventListener("keyup", (event) => {
    if (!isTalkKey(event)) return;
    event.preventDefault();
    release();
  });
  window.addEventListener("blur", release);

  $("typed").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("question").value.trim();
    if (text && !isBusy()) ask({ text, photo: takePhoto() });
  });
  for (const example of document.querySelectorAll(".example")) {
    example.addEventListener("click", () => ask({ text: example.textContent, photo: takePhoto() }));
  }
  $("try-again").addEventListener("click", () => ask(visit.lastQuestion));
  $("camera-toggle").addEventListener("click", () => (camera.stream ? turnCameraOff() : turnCameraOn()));
  $("start-over").addEventListener("click", () => {
    startOver();
    // The button is gone now, and a keyboard needs a place to go on from.
    talk.focus();
  });
  for (const name of ["pointerdown", "click", "keydown", "wheel", "input"]) {
    document.addEventListener(name, stillHere, { capture: true, passive: true });
  }
  setInterval(watchForIdleness, 250);
}

listenForHands();
show("ready");
