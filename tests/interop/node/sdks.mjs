// The two generations of the SDK for TypeScript behind one face.

import { readFileSync } from "node:fs";

const PACKAGES = { 1: "@modelcontextprotocol/sdk", 2: "@modelcontextprotocol/client" };

/** A client that is connected: `call(params, options)`, `revision()`, and everything that both SDKs have. */
export async function connect(sdk, mode, server, { onLog, onError }) {
  const name = PACKAGES[sdk];
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url)));
  const make = { 1: first, 2: second }[sdk];
  const { client, transport } = await make({ name: "typescript-sdk", version }, mode, server, onLog);
  client.onerror = onError;
  await client.connect(transport);
  return { client, version };
}

async function first(me, mode, server, onLog) {
  const { Client } = await import(`${PACKAGES[1]}/client/index.js`);
  const { StdioClientTransport } = await import(`${PACKAGES[1]}/client/stdio.js`);
  const { LoggingMessageNotificationSchema } = await import(`${PACKAGES[1]}/types.js`);
  const client = new Client(me);
  const transport = new StdioClientTransport(server);
  let revision;
  transport.setProtocolVersion = (negotiated) => (revision = negotiated);
  client.revision = () => revision;
  client.call = (params, options) => client.callTool(params, undefined, options);
  client.setNotificationHandler(LoggingMessageNotificationSchema, onLog);
  return { client, transport };
}

async function second(me, mode, server, onLog) {
  const { Client } = await import(PACKAGES[2]);
  const { StdioClientTransport } = await import(`${PACKAGES[2]}/stdio`);
  const negotiation = { mode: ["legacy", "auto"].includes(mode) ? mode : { pin: mode } };
  const client = new Client(me, { versionNegotiation: negotiation });
  client.revision = () => client.getNegotiatedProtocolVersion();
  client.call = (params, options) => client.callTool(params, options);
  client.setNotificationHandler("notifications/message", onLog);
  return { client, transport: new StdioClientTransport(server) };
}
