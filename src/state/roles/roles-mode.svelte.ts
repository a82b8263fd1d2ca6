/** Owns whether replies are drafted, checked and mended, and with how many drafts and feedbacks. Writes none itself. */
import type { ReplyPart } from '../../core/chat/reply';
import type { RolePlan } from '../../core/roles/role-steps';
import type { Engine, Generation } from '../../engine/engine';
import type { GenerateRequest, LoadedModel } from '../../protocol/engine-api';
import type { ReplyEvents, ReplyWay } from '../reply-way';
import { runRoles } from './role-run';

export const NO_ROLES = 'This model was not taught to draft, check and mend: it answers by itself.';

export class RolesMode implements ReplyWay {
  plan = $state.raw<RolePlan>({ drafts: 1, feedbacks: 1 });

  readonly #model: () => LoadedModel | null;

  constructor(model: () => LoadedModel | null) {
    this.#model = model;
  }

  generate(
    engine: Pick<Engine, 'generate'>,
    request: GenerateRequest,
    begun: readonly ReplyPart[],
    onEvents: ReplyEvents,
  ): Generation {
    const prompts = this.#model()?.roles;
    // Another model may have been chosen since.
    if (prompts === undefined) {
      onEvents([{ type: 'notice', text: NO_ROLES }]);
      return engine.generate(request, onEvents);
    }
    return runRoles(engine, request, begun, prompts, this.plan, onEvents);
  }
}
