// The echoing process of one variant: a ROUTER that sends back what it gets, verified and signed as the variant does.

import { serve } from "../child.js";
import { type VariantName, variants } from "../variants/table.js";
import type { Credentials, Variant } from "../variants/variant.js";

export interface EchoOptions {
  readonly name: VariantName;
  readonly credentials: Credentials;
  readonly bind: string;
}

async function open({ name, credentials, bind }: EchoOptions): Promise<string> {
  const { router, sign, verify }: Variant = variants[name].open(credentials);
  const socket = router();
  await socket.bind(bind);
  void (async () => {
    for await (const received of socket) {
      const message = verify ? verify(received, 1) : received;
      await socket.send(sign ? sign(message, 1) : message);
    }
  })();
  return socket.lastEndpoint!;
}

const handlers = { open };
export type EchoHandlers = typeof handlers;
serve(handlers);
