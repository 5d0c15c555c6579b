// Ask the official parser whether a file is AsyncAPI, and ajv whether each example is as its schema
// says. Prints what is wrong and exits with 1, or prints version, operations and messages.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";
import Ajv from "ajv";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const wrong = diagnostics
  .filter((each) => each.severity === 0)
  .map((each) => `${each.path.join(".")}: ${each.message}`);
const messages = document?.allMessages().all() ?? [];
for (const message of messages) {
  const ajv = new Ajv({ strict: false });
  const valid = ajv.compile(message.payload().json());
  if (message.examples().isEmpty()) wrong.push(`${message.id()}: no example`);
  for (const example of message.examples().all()) {
    if (!valid(example.payload())) wrong.push(`${message.id()}: ${ajv.errorsText(valid.errors)}`);
  }
}
for (const each of wrong) console.log(each);
if (document === undefined || wrong.length > 0) process.exit(1);
console.log(document.version(), document.allOperations().length, messages.length);
