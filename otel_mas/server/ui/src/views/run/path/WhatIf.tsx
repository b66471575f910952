/** What if something were faster, gone, without waiting, or another model. */
export function WhatIf() {
  return null;
}
