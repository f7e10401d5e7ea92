/** Client of Fairground's REST API: typed by the OpenAPI schema, with repetitions and idempotent writes. */

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type { components, operations, paths } from "./schema.js";
export type Schemas = components["schemas"];
export type WebhookEvent = Schemas["WebhookEvent"];

export interface Options {
  /** Language of texts for people. */
  language?: "en" | "zh-hans";
  /** Attempts at most. */
  attempts?: number;
  /** Milliseconds before the second attempt; each further wait is twice as long, or what Retry-After asks for. */
  firstWait?: number;
  fetch?: typeof fetch;
  sleep?: (milliseconds: number) => Promise<void>;
}

const REPEATED = [429, 502, 503, 504];
const LONGEST_WAIT = 60_000;

/** Return a client with one typed call for each operation: `client.GET("/api/v1/offers/{code}/", …)`. */
export function fairground(url: string, key: string, options: Options = {}): Client<paths> {
  const client = createClient<paths>({ baseUrl: url, fetch: repeating(options) });
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${key}`);
      request.headers.set("Accept-Language", options.language ?? "en");
      if (request.method !== "GET" && !request.headers.has("Idempotency-Key")) {
        request.headers.set("Idempotency-Key", crypto.randomUUID());
      }
      return request;
    },
  });
  return client;
}

/** Return the headers that a write declares; each call has a key of its own unless you repeat one. */
export function once(key: string = crypto.randomUUID()): { "Idempotency-Key": string } {
  return { "Idempotency-Key": key };
}

function repeating(options: Options): (request: Request) => Promise<Response> {
  const send = options.fetch ?? fetch;
  const sleep = options.sleep ?? ((wait: number) => new Promise<void>((done) => setTimeout(done, wait)));
  const attempts = options.attempts ?? 5;
  return async (request) => {
    for (let attempt = 0; ; attempt++) {
      const isLast = attempt + 1 >= attempts;
      const wait = Math.min((options.firstWait ?? 200) * 2 ** attempt, LONGEST_WAIT) * (1 + Math.random() / 4);
      try {
        const response = await send(request.clone());
        if (isLast || !(await shouldRepeat(response))) return response;
        await sleep(Math.max(wait, retryAfter(response)));
      } catch (error) {
        if (isLast) throw error;
        await sleep(wait);
      }
    }
  };
}

async function shouldRepeat(response: Response): Promise<boolean> {
  if (REPEATED.includes(response.status)) return true;
  if (response.status !== 409) return false;
  const problem = (await response.clone().json()) as Schemas["Problem"];
  return problem.code === "in_progress";
}

/** Milliseconds that a response asks to wait: a number of seconds or an instant in Retry-After. */
function retryAfter(response: Response): number {
  const text = response.headers.get("Retry-After") ?? "";
  const wait = /^[0-9.]+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) ? Math.max(wait, 0) : 0;
}

/** Return the event of a webhook. Throws unless it was signed with `secret` in the last five minutes. */
export async function verifyWebhook(
  secret: string,
  headers: Headers,
  body: string,
  now: number = Date.now(),
): Promise<WebhookEvent> {
  const [id, sent, signatures] = ["id", "timestamp", "signature"].map((name) => headers.get(`webhook-${name}`) ?? "");
  if (!(Math.abs(now / 1000 - Number(sent || NaN)) <= 300)) throw new Error("the timestamp is missing or too far away");
  const raw = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (letter) => letter.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const content = new TextEncoder().encode(`${id}.${sent}.${body}`);
  for (const each of (signatures ?? "").split(" ").filter((text) => text.startsWith("v1,"))) {
    const signature = Uint8Array.from(atob(each.slice(3)), (letter) => letter.charCodeAt(0));
    if (await crypto.subtle.verify("HMAC", key, signature, content)) return JSON.parse(body) as WebhookEvent;
  }
  throw new Error("no signature is by this secret");
}
