"""The header that llama.cpp's converter writes for a model of these shapes: keys and tensors.

Names of keys and tensors: MODEL_TENSORS and Keys of the Python library `gguf` 0.19; which architecture writes what:
ggml-org/llama.cpp @007dbbf3, conversion/*.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Tensor = tuple[str, tuple[int, ...], str]
Order = Callable[[int], int]


class Blueprint:
    """Keys and tensors of a model: `order` gives the group of each layer, `fused` names what stands in one tensor."""

    def __init__(self, spec: Any, arch: str, order: Order, *, fused: tuple[str, ...] = ()) -> None:
        self.spec, self.arch, self.fused = spec, arch, fused
        layers = sum(block.layers for block in spec.blocks)
        self.layers = [spec.blocks[order(index)] for index in range(layers)]
        self.keys: dict[str, Any] = {"general.architecture": arch, "general.name": spec.title}
        self.tensors: list[Tensor] = []
        self._say(block_count=layers, embedding_length=spec.width, context_length=spec.max_context or 0)
        self._outside()
        for index, block in enumerate(self.layers):
            self._layer(f"blk.{index}.", block)

    def _say(self, **values: Any) -> None:
        for key, value in values.items():
            self.keys[f"{self.arch}.{key.replace('__', '.')}"] = value

    def _add(self, name: str, *shape: int, bias: bool = False, kind: str | None = None) -> None:
        self.tensors.append((f"{name}.weight", shape, kind or ("fp32" if len(shape) == 1 else "bf16")))
        if bias:
            self.tensors.append((f"{name}.bias", shape[1:], "fp32"))

    def _norm(self, name: str) -> None:
        norm = self.spec.norm
        if norm.weight:
            self.tensors.append((f"{name}.weight", (self.spec.width,), "fp32"))
        if norm.bias:
            self.tensors.append((f"{name}.bias", (self.spec.width,), "fp32"))

    def _outside(self) -> None:
        spec = self.spec
        self._add("token_embd", spec.width, spec.vocabulary)
        if spec.positions.kind == "learned":
            self._add("position_embd", spec.width, spec.positions.size, kind="fp32")
        if spec.token_types:
            self._add("token_types", spec.width, spec.token_types, kind="fp32")
        if spec.embedding_norm:
            self._norm("token_embd_norm")
        if spec.final_norm:
            self._norm("output_norm")
        if spec.head and not spec.tied_embeddings:
            self._add("output", spec.width, spec.vocabulary, bias=spec.head_bias)
        if spec.positions.rotary_dim:
            self._say(rope__dimension_count=spec.positions.rotary_dim)

    def _layer(self, at: str, block: Any) -> None:
        names = ["attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"]
        if block.norm_placement != "pre":
            names = names[2:]
        if block.feed_forward is None or block.norms == 1:
            names = names[:1]
        for name in names[: block.norms]:
            self._norm(at + name)
        if block.attention is not None:
            getattr(self, f"_{block.attention.kind}")(at, block.attention)
        if block.feed_forward is not None:
            getattr(self, f"_{block.feed_forward.kind}")(at, block.feed_forward)

    def _softmax(self, at: str, a: Any) -> None:
        width, inner, kv = self.spec.width, a.heads * a.head_dim, a.kv_heads * a.head_dim
        self._say(attention__head_count=a.heads, attention__head_count_kv=a.kv_heads)
        self._say(attention__key_length=a.head_dim, attention__value_length=a.head_dim)
        if a.window:
            self._say(attention__sliding_window=a.window)
        if "qkv" in self.fused:
            self._add(at + "attn_qkv", width, inner + 2 * kv, bias=a.qkv_bias)
        else:
            self._add(at + "attn_q", width, inner * (2 if a.output_gate else 1), bias=a.qkv_bias)
            self._add(at + "attn_k", width, kv, bias=a.qkv_bias)
            if not a.keys_as_values:
                self._add(at + "attn_v", width, kv, bias=a.qkv_bias)
        self._add(at + "attn_output", inner, width, bias=a.output_bias)
        self._norms_of_heads(at, a, inner, kv)

    def _norms_of_heads(self, at: str, a: Any, inner: int, kv: int) -> None:
        norms = {"head": (a.head_dim, a.head_dim), "width": (inner, kv)}.get(a.qk_norm or "", ())
        for name, extent in zip(("attn_q_norm", "attn_k_norm"), norms, strict=False):
            self._add(at + name, extent)
        if a.sinks:
            self._add(at + "attn_sinks", a.heads)

    def _latent(self, at: str, a: Any) -> None:
        width, key = self.spec.width, a.key_dim + a.rope_dim
        self._say(attention__head_count=a.heads, attention__head_count_kv=1, attention__kv_lora_rank=a.kv_rank)
        self._say(attention__key_length=a.kv_rank + a.rope_dim, attention__value_length=a.kv_rank)
        self._say(attention__key_length_mla=key, attention__value_length_mla=a.value_dim)
        self._say(rope__dimension_count=a.rope_dim)
        if a.query_rank:
            self._say(attention__q_lora_rank=a.query_rank)
            self._add(at + "attn_q_a", width, a.query_rank)
            self._add(at + "attn_q_a_norm", a.query_rank)
            self._add(at + "attn_q_b", a.query_rank, a.heads * key)
        else:
            self._add(at + "attn_q", width, a.heads * key)
        self._add(at + "attn_kv_a_mqa", width, a.kv_rank + a.rope_dim)
        self._add(at + "attn_kv_a_norm", a.kv_rank)
        self._add(at + "attn_k_b", a.key_dim, a.kv_rank, a.heads)
        self._add(at + "attn_v_b", a.kv_rank, a.value_dim, a.heads)
        self._add(at + "attn_output", a.heads * a.value_dim, width)

    def _gated_delta(self, at: str, a: Any) -> None:
        width, keys, values = self.spec.width, a.key_heads * a.key_dim, a.value_heads * a.value_dim
        self._say(ssm__conv_kernel=a.kernel, ssm__group_count=a.key_heads, ssm__time_step_rank=a.value_heads)
        self._say(ssm__state_size=a.key_dim, ssm__inner_size=values)
        self._add(at + "attn_qkv", width, 2 * keys + values)
        self._add(at + "attn_gate", width, values)
        self._add(at + "ssm_ba", width, 2 * a.value_heads)
        self._add(at + "ssm_conv1d", a.kernel, 2 * keys + values, kind="fp32")
        self.tensors += [(f"{at}ssm_a", (a.value_heads,), "fp32"), (f"{at}ssm_dt.bias", (a.value_heads,), "fp32")]
        self._add(at + "ssm_norm", a.value_dim)
        self._add(at + "ssm_out", values, width)

    def _mamba(self, at: str, a: Any) -> None:
        width = self.spec.width
        self._say(ssm__conv_kernel=a.kernel, ssm__inner_size=a.inner, ssm__state_size=a.state)
        self._say(ssm__time_step_rank=a.rank, feed_forward_length=0, attention__head_count=0)
        self._add(at + "ssm_in", width, 2 * a.inner)
        self._add(at + "ssm_conv1d", a.kernel, a.inner, kind="fp32")
        self.tensors.append((f"{at}ssm_conv1d.bias", (a.inner,), "fp32"))
        self._add(at + "ssm_x", a.inner, a.rank + 2 * a.state)
        self._add(at + "ssm_dt", a.rank, a.inner, bias=True)
        self.tensors += [(f"{at}ssm_a", (a.state, a.inner), "fp32"), (f"{at}ssm_d", (a.inner,), "fp32")]
        self._add(at + "ssm_out", a.inner, width)

    def _mamba2(self, at: str, a: Any) -> None:
        width, inner, groups = self.spec.width, a.heads * a.head_dim, a.groups * a.state
        self._say(ssm__conv_kernel=a.kernel, ssm__inner_size=inner, ssm__state_size=a.state)
        self._say(ssm__time_step_rank=a.heads, ssm__group_count=a.groups)
        self._add(at + "ssm_in", width, 2 * inner + 2 * groups + a.heads)
        self._add(at + "ssm_conv1d", a.kernel, inner + 2 * groups, kind="fp32")
        self.tensors.append((f"{at}ssm_conv1d.bias", (inner + 2 * groups,), "fp32"))
        self.tensors += [(f"{at}ssm_{name}", (a.heads,), "fp32") for name in ("a", "d", "dt.bias")]
        self._add(at + "ssm_norm", inner)
        self._add(at + "ssm_out", inner, width)

    def _short_conv(self, at: str, a: Any) -> None:
        width = self.spec.width
        self._say(shortconv__l_cache=a.kernel)
        self._add(at + "shortconv.in_proj", width, 3 * width)
        self._add(at + "shortconv.conv", a.kernel, width, kind="fp32")
        self._add(at + "shortconv.out_proj", width, width)

    def _dense(self, at: str, f: Any) -> None:
        width = self.spec.width
        self._say(feed_forward_length=f.width)
        fused = f.gated and "up" in self.fused
        if f.gated and not fused:
            self._add(at + "ffn_gate", width, f.width, bias=f.bias)
        self._add(at + "ffn_up", width, f.width * (2 if fused else 1), bias=f.bias)
        self._add(at + "ffn_down", f.width, width, bias=f.bias)

    def _experts(self, at: str, f: Any) -> None:
        width = self.spec.width
        self._say(expert_count=f.experts, expert_used_count=f.top_k, expert_feed_forward_length=f.width)
        self.keys.setdefault(f"{self.arch}.feed_forward_length", f.width)
        self._add(at + "ffn_gate_inp", width, f.experts, bias=f.router_bias and f.bias, kind="fp32")
        if f.router_bias and not f.bias:
            self.tensors.append((f"{at}exp_probs_b.bias", (f.experts,), "fp32"))
        inner = f.latent_width or width
        if f.latent_width:
            self._add(at + "ffn_latent_down", width, inner)
            self._add(at + "ffn_latent_up", inner, width)
        matrices = [("gate", inner, f.width), ("up", inner, f.width), ("down", f.width, inner)]
        for name, rows, columns in matrices if f.gated else matrices[1:]:
            self.tensors.append((f"{at}ffn_{name}_exps.weight", (rows, columns, f.experts), "bf16"))
            if f.bias:
                self.tensors.append((f"{at}ffn_{name}_exps.bias", (columns, f.experts), "fp32"))
        if f.shared_width:
            self._say(expert_shared_count=f.shared_width // f.width, expert_shared_feed_forward_length=f.shared_width)
            if f.gated:
                self._add(at + "ffn_gate_shexp", width, f.shared_width)
            self._add(at + "ffn_up_shexp", width, f.shared_width)
            self._add(at + "ffn_down_shexp", f.shared_width, width)
        if f.shared_gate:
            self._add(at + "ffn_gate_inp_shexp", width)


class GemmaBlueprint(Blueprint):
    """Gemma 3n and 4: heads of two widths, layers that share a cache, inputs per layer, experts beside a dense part."""

    def __init__(self, spec: Any, arch: str, order: Order) -> None:
        super().__init__(spec, arch, order)
        attentions = [block.attention for block in self.layers]
        shared = sum(attention.shared_cache for attention in attentions)
        self._say(attention__shared_kv_layers=shared)
        self._say(attention__sliding_window_pattern=[bool(attention.window) for attention in attentions])
        if arch == "gemma4":
            self._say(attention__head_count_kv=[attention.kv_heads for attention in attentions])
            for attention in attentions:
                swa = "_swa" if attention.window else ""
                self._say(**{f"attention__key_length{swa}": attention.head_dim})
                self._say(**{f"attention__value_length{swa}": attention.head_dim})
            self.tensors.append(("rope_freqs.weight", (256,), "fp32"))
        if spec.per_layer_input:
            self._inputs_per_layer(spec.per_layer_input, len(attentions))

    def _inputs_per_layer(self, inputs: Any, layers: int) -> None:
        spec, width = self.spec, self.spec.width
        self._say(embedding_length_per_layer_input=inputs.width)
        self._add("per_layer_token_embd", inputs.width * layers, inputs.vocabulary)
        self._add("per_layer_model_proj", width, inputs.width * layers)
        self._add("per_layer_proj_norm", inputs.width)
        if spec.altup:
            self._say(altup__num_inputs=spec.altup.inputs, altup__active_idx=0)
            self._add("altup_proj", width, width, spec.altup.inputs - 1)
            self._add("altup_unembd_proj", width, width, spec.altup.inputs - 1)
        for index in range(layers):
            at = f"blk.{index}."
            self._add(at + "inp_gate", width, inputs.width)
            self._add(at + "proj", inputs.width, width)
            self._add(at + "post_norm", width)
            if spec.altup:
                self._streams(at, spec.altup.inputs)

    def _streams(self, at: str, inputs: int) -> None:
        width = self.spec.width
        self._add(at + "laurel_l", width, self.spec.laurel)
        self._add(at + "laurel_r", self.spec.laurel, width)
        self._add(at + "laurel_post_norm", width)
        self._add(at + "altup_router", width, inputs, kind="fp32")
        self._add(at + "altup_router_norm", width)
        self._add(at + "altup_predict_coef", inputs, inputs**2, kind="fp32")
        self._add(at + "altup_correct_coef", inputs, inputs, kind="fp32")
        self._add(at + "altup_correct_scale", width)

    def _softmax(self, at: str, a: Any) -> None:
        if not a.shared_cache:
            super()._softmax(at, a)
            return
        self._add(at + "attn_q", self.spec.width, a.heads * a.head_dim)
        self._add(at + "attn_q_norm", a.head_dim)
        self._add(at + "attn_output", a.heads * a.head_dim, self.spec.width)

    def _experts(self, at: str, f: Any) -> None:
        width = self.spec.width
        self._say(expert_count=f.experts, expert_used_count=f.top_k, expert_feed_forward_length=f.width)
        self._say(feed_forward_length=f.shared_width)
        self._add(at + "ffn_gate_inp", width, f.experts, kind="fp32")
        self.tensors += [
            (f"{at}ffn_gate_inp.scale", (width,), "fp32"),
            (f"{at}ffn_down_exps.scale", (f.experts,), "fp32"),
        ]
        self._add(at + "ffn_gate_up_exps", width, 2 * f.width, f.experts)
        self._add(at + "ffn_down_exps", f.width, width, f.experts)
        for name, rows, columns in (("gate", width, f.shared_width), ("up", width, f.shared_width)):
            self._add(f"{at}ffn_{name}", rows, columns)
        self._add(at + "ffn_down", f.shared_width, width)
        for name in ("post_ffw_norm_1", "pre_ffw_norm_2", "post_ffw_norm_2"):
            self._norm(at + name)
        self.tensors.append((f"{at}layer_output_scale.weight", (1,), "fp32"))
