/** An entry of a tokenizer.json's `added_tokens`: a special token that stands by itself. */
export function addedToken(id: number, content: string) {
  return {
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
}
