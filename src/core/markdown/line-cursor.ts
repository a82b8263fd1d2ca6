/** A place in a line, counted in characters and in columns: a tab reaches to the next multiple of four. Owns no syntax. */

const TAB_COLUMNS = 4;

export class LineCursor {
  readonly line: string;
  offset = 0;
  column = 0;
  /** Where the next character that is no blank stands. */
  nextOffset = 0;
  nextColumn = 0;
  /** Columns of a tab that a container took only in part. */
  #tabRest = 0;

  constructor(line: string) {
    this.line = line;
    this.look();
  }

  get indent(): number {
    return this.nextColumn - this.column;
  }

  get isBlank(): boolean {
    return this.nextOffset >= this.line.length;
  }

  /** What follows, from the next character that is no blank. */
  get text(): string {
    return this.line.slice(this.nextOffset);
  }

  look(): void {
    let offset = this.offset;
    let column = this.column;
    for (; offset < this.line.length; offset += 1) {
      const character = this.line[offset];
      if (character === ' ') column += 1;
      else if (character === '\t') column += TAB_COLUMNS - (column % TAB_COLUMNS);
      else break;
    }
    this.nextOffset = offset;
    this.nextColumn = column;
  }

  skipBlanks(): void {
    this.offset = this.nextOffset;
    this.column = this.nextColumn;
    this.#tabRest = 0;
  }

  /** Goes on by characters; a tab counts as one. */
  skipCharacters(count: number): void {
    for (let left = count; left > 0 && this.offset < this.line.length; left -= 1) {
      this.column +=
        this.line[this.offset] === '\t' ? TAB_COLUMNS - (this.column % TAB_COLUMNS) : 1;
      this.#tabRest = 0;
      this.offset += 1;
    }
    this.look();
  }

  /** Goes on by columns of blanks, through a part of a tab where need be. */
  skipColumns(count: number): void {
    let left = count;
    while (left > 0 && this.offset < this.line.length) {
      if (this.line[this.offset] === '\t') {
        const width = TAB_COLUMNS - (this.column % TAB_COLUMNS);
        const taken = Math.min(width, left);
        this.column += taken;
        left -= taken;
        this.#tabRest = width - taken;
        if (taken === width) this.offset += 1;
      } else {
        this.column += 1;
        this.offset += 1;
        left -= 1;
        this.#tabRest = 0;
      }
    }
    this.look();
  }

  /** The rest of the line, the rest of a tab as blanks. */
  takeRest(): string {
    return this.#tabRest > 0
      ? ' '.repeat(this.#tabRest) + this.line.slice(this.offset + 1)
      : this.line.slice(this.offset);
  }

  isBlankAt(ahead: number): boolean {
    const character = this.line[this.offset + ahead];
    return character === ' ' || character === '\t';
  }
}
