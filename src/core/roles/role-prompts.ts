/** What a model is told of its role in drafting, checking and mending: system prompts that its manifest names. */
import type { Role } from '../chat/reply';

export type RolePrompts = Readonly<Record<Role, string>>;
