/** Wires the page at bench/: measuring this device, apart from the chat. */
import './app.css';
import { mount } from 'svelte';
import { languageOfTag } from './core/language/load-language';
import { language, t } from './core/language/translate';
import { EngineClient } from './engine/engine-client';
import { EMBEDDED_MODELS, modelUrlOf } from './models/registry';
import { trustOwnScripts } from './pwa/trusted-script-urls';
import { DeviceBench } from './state/bench/device-bench.svelte';
import { PageLanguage } from './state/page-language.svelte';
import BenchPage from './ui/bench/BenchPage.svelte';

trustOwnScripts();
const asked = languageOfTag(new URLSearchParams(location.search).get('lang'));
await new PageLanguage(() => navigator.languages).follow(asked ?? 'system');
document.documentElement.lang = language();
document.title = t('Speed on this device · Tidepool');
const model = EMBEDDED_MODELS[0];
if (model === undefined) throw new Error('the registry names no model');
const app = new URL('../', document.baseURI);
const modelUrl = modelUrlOf(model, app.href);
const bench = new DeviceBench({
  modelsUrl: new URL('../', modelUrl).href,
  modelName: new URL(modelUrl).pathname.split('/').at(-2) ?? '',
  createEngine: () => new EngineClient(),
});
const target = document.getElementById('app');
if (target === null) throw new Error('bench/index.html has no element #app');
mount(BenchPage, { target, props: { bench, resultsUrl: new URL('bench/results.json', app).href } });
