// A kernel on the kit that does nothing: what is measured is the way there and back.

import { Kernel } from "countersign/jupyter";

const kernel = new Kernel({ handlers: { execute: () => undefined } });
await kernel.run(process.argv[2]);
