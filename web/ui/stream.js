// Records as they come. One tab of the browser holds the stream and tells the others: browsers open
// six connections to a host over HTTP/1.1, all tabs together.

import { get, session } from "./api.js";

const LOCK = "tapwarden-events";
const BACKLOG = 100; // of a tab that takes the stream over: what came between
const SEEN = 5000;

const channel = new BroadcastChannel(LOCK);
const listeners = new Set();
const states = new Set();
let state = "";
const seen = new Set(); // seqs of the latest records
let release = null;

function setState(now) {
  if (now === state) return;
  state = now;
  for (const listener of states) listener(state);
}

function take(records) {
  const fresh = [];
  for (const record of records) {
    const seq = record.tapwarden ? record.tapwarden.seq : undefined;
    if (seq !== undefined) {
      if (seen.has(seq)) continue;
      seen.add(seq);
      if (seen.size > SEEN) seen.delete(seen.values().next().value);
    }
    fresh.push(record);
  }
  if (fresh.length) for (const listener of [...listeners]) listener(fresh);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Many at once are told as one: what they cost is drawing.
function batches(deliver) {
  let waiting = [];
  return (record) => {
    waiting.push(record);
    if (waiting.length > 1) return;
    setTimeout(() => {
      const batch = waiting;
      waiting = [];
      deliver(batch);
    }, 50);
  };
}

function lead() {
  return new Promise((done) => {
    const tell = batches((batch) => {
      take(batch);
      channel.postMessage({ records: batch });
    });
    const source = new EventSource(`/v1/events?backlog=${BACKLOG}`);
    const announce = (now) => {
      setState(now);
      channel.postMessage({ state: now });
    };
    const ask = (event) => {
      if (event.data.ask) channel.postMessage({ state });
    };
    source.onopen = () => announce("live");
    source.onmessage = (event) => {
      const record = parse(event.data);
      if (record) tell(record);
    };
    // It comes back by itself, unless the host refused it: then the session may be over.
    source.onerror = () => {
      announce("waiting");
      if (source.readyState !== EventSource.CLOSED) return;
      get("/v1/whoami").catch(() => {});
      setTimeout(() => release && release(), 2000);
    };
    channel.addEventListener("message", ask);
    release = () => {
      release = null;
      source.close();
      channel.removeEventListener("message", ask);
      done();
    };
  });
}

channel.addEventListener("message", (event) => {
  if (event.data.records) take(event.data.records);
  if (event.data.state) setState(event.data.state);
});

let waiting = null;

async function keepLeading(abort) {
  while (session.user && !abort.signal.aborted) {
    channel.postMessage({ ask: true });
    try {
      await navigator.locks.request(LOCK, { signal: abort.signal }, lead);
    } catch {
      return; // called off while it waited for the lock
    }
  }
}

session.addEventListener("begun", () => {
  waiting = new AbortController();
  keepLeading(waiting);
});

session.addEventListener("ended", () => {
  if (waiting) waiting.abort();
  if (release) release();
  setState("");
});

// Calls `listener(records)` with what comes from now on, oldest first. Returns how to stop.
export function watchRecords(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// Calls `listener(state)` now and at each change: "live", "waiting", or "" with nobody logged in. Returns how to stop.
export function watchState(listener) {
  states.add(listener);
  listener(state);
  return () => states.delete(listener);
}
