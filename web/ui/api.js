// Questions to the API of the host that this page came from.

export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail || body.title || `status ${status}`);
    this.status = status;
    this.code = body.code || "";
    this.body = body;
    this.retryAfter = retryAfter;
  }
}

export const session = new EventTarget();
session.user = null; // {user, role} once logged in
session.expired = false; // it ended without anybody having asked for it

const ROLES = ["viewer", "operator", "admin"];

export function may(role) {
  return session.user !== null && ROLES.indexOf(session.user.role) >= ROLES.indexOf(role);
}

async function problemOf(response) {
  let body = {};
  try {
    body = await response.json();
  } catch {
    // an answer of something between here and the host
  }
  return new Problem(response.status, body, response.headers.get("Retry-After"));
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(20000), ...options });
  } catch (error) {
    throw new Problem(0, { detail: error.name === "TimeoutError"
      ? "the host did not answer in time" : "the host cannot be reached" });
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  // The session ended, here or by a reload of the configuration.
  if (response.status === 401 && session.user) {
    session.user = null;
    session.expired = true;
    session.dispatchEvent(new Event("ended"));
  }
  throw problem;
}

export const get = async (path) => (await ask(path)).json();
export const getText = async (path) => (await ask(path)).text();

export async function post(path, body) {
  const options = { method: "POST" };
  if (typeof body === "string") {
    options.body = body;
    options.headers = { "Content-Type": "application/octet-stream" };
  } else if (body) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  return (await ask(path, options)).json();
}

export async function logIn(user, password) {
  session.user = await post("/v1/session", { user, password });
  session.expired = false;
  session.dispatchEvent(new Event("begun"));
}

export async function logOut() {
  await ask("/v1/session", { method: "DELETE" }).catch(() => {});
  session.user = null;
  session.dispatchEvent(new Event("ended"));
}

// Whether the browser has a session from before.
export async function resume() {
  try {
    session.user = await get("/v1/whoami");
    session.dispatchEvent(new Event("begun"));
  } catch (problem) {
    if (problem.status !== 401) throw problem;
  }
  return session.user !== null;
}
