/** The commands that need the network, and all that they need: loaded when one of them is wanted. */
export { readOffer } from "./offer.ts";
export { update } from "./update.ts";
