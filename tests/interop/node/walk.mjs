// A walk through the server with an official SDK for TypeScript; prints what it met as one JSON object.
//
// node walk.mjs SDK MODE COMMAND ARGUMENT..., where SDK is 1 or 2 and MODE is legacy, auto or a revision without a
// handshake. The server takes its settings from the environment. ../python_sdk.py is the same walk, step by step.

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { argv, env } from "node:process";
import { connect } from "./sdks.mjs";

const [sdk, mode, command, ...args] = argv.slice(2);
const legacy = mode === "legacy";
const log = [];
const errors = [];
const { client, version } = await connect(sdk, mode, { command, args, env }, {
  onLog: ({ params }) => log.push(params.level),
  onError: (error) => errors.push(String(error)),
});

/** Let the tasks that the sandbox holds back go on. */
const release = () => fetch(`${env.KIE_AI_UPLOAD_BASE_URL}/sandbox/faults`, { method: "DELETE" });

/** The code of the error that a request ends in. */
const codeOf = (request) => request.then((result) => `no error but ${JSON.stringify(result)}`, (error) => error.code);

const call = (name, given = {}, options = {}) => client.call({ name, arguments: given }, options);

/** A picture, with progress. */
async function make() {
  const progress = [];
  const onprogress = (told) => progress.push(told.progress);
  const result = await call("generate_visual", { prompt: "a fox", aspect_ratio: "16:9" }, { onprogress });
  return { progress, made: result.structuredContent, blocks: result.content.map((block) => block.type) };
}

/** What cannot be done, and what is not there. */
async function fail() {
  const { isError, structuredContent } = await call("generate_visual", { prompt: "a fox", aspect_ratio: "7:3" });
  return { refused: { isError, ...structuredContent.error }, unknown_tool: await codeOf(call("nope")) };
}

/** Resources. */
async function read(picture) {
  const { resources } = await client.listResources();
  const { uri } = resources.find((entry) => entry.name === basename(picture));
  const [content] = (await client.readResource({ uri })).contents;
  const [guide] = (await client.readResource({ uri: "kie-mcp://guide" })).contents;
  const { resourceTemplates } = await client.listResourceTemplates();
  return {
    resources: resources.map((entry) => entry.uri),
    picture: createHash("sha256").update(Buffer.from(content.blob, "base64")).digest("hex"),
    guide: guide.text,
    missing: await codeOf(client.readResource({ uri: "kie-mcp://nothing" })),
    templates: resourceTemplates.map((entry) => entry.uriTemplate),
  };
}

/** Prompts and completion. */
async function prompt() {
  const { prompts } = await client.listPrompts();
  const given = { subject: "a fox", platform: "youtube" };
  const shown = await client.getPrompt({ name: "platform_picture", arguments: given });
  const complete = async (ref, name, value) =>
    (await client.complete({ ref, argument: { name, value } })).completion.values;
  return {
    prompts: prompts.map((entry) => entry.name),
    prompt: shown.messages[0].content.text,
    platforms: await complete({ type: "ref/prompt", name: "platform_picture" }, "platform", "insta"),
    models: await complete({ type: "ref/resource", uri: "kie-mcp://models/{model}" }, "model", "nano-banana-p"),
  };
}

/** What the log says, where it was asked for. */
async function listen() {
  const unasked = log.length;
  if (legacy) await client.setLoggingLevel("debug");
  const asked = legacy ? {} : { _meta: { "io.modelcontextprotocol/logLevel": "debug" } };
  await client.call({ name: "generate_visual", arguments: { prompt: "another fox" }, ...asked });
  return { unasked, log };
}

/** What only one of the two eras has. */
async function meet() {
  if (!legacy) return { supported: (await client.discover()).supportedVersions };
  await client.ping();
  return { supported: [] };
}

/** A call that times out here, one that is cancelled, and both tasks fetched afterwards. */
async function giveUp() {
  const created = await call("create_visual_task", { prompt: "a slow fox" });
  const tasks = [created.structuredContent.task_id];
  const timedOut = await codeOf(call("get_visual_task", { task_id: tasks[0], wait_seconds: 60 }, { timeout: 500 }));
  const abort = new AbortController();
  const onprogress = ({ message }) => {
    if (!message.includes("submitted as task")) return;
    tasks.push(message.split(" ").at(-1));
    abort.abort("the user has changed their mind");
  };
  const cancelled = call("generate_visual", { prompt: "a slow fox too" }, { onprogress, signal: abort.signal });
  const wasCancelled = await cancelled.then(() => false, () => abort.signal.aborted);
  await release();
  const fetched = [];
  for (const task_id of tasks)
    fetched.push((await call("get_visual_task", { task_id, wait_seconds: 60 })).structuredContent);
  return { timed_out: timedOut, cancelled: wasCancelled, fetched };
}

const tools = (await client.listTools()).tools.map((tool) => tool.name);
const met = { client: "typescript-sdk", version, revision: client.revision(), tools };
Object.assign(met, await meet(), await make(), await fail());
Object.assign(met, await read(met.made.output_path), await prompt(), await listen());
met.errors = [...errors]; // a progress that was under way when a call was cancelled may be one, and is none of ours
Object.assign(met, await giveUp());
await client.close();
console.log(JSON.stringify(met));
