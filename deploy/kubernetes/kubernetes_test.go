package kubernetes_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// pod is what one of the workloads runs.
type pod struct {
	kind, name string
	labels     labels.Set
	spec       corev1.PodSpec
}

// cluster is what an overlay makes.
type cluster struct {
	pods     []pod
	services []*corev1.Service
	budgets  []*policyv1.PodDisruptionBudget
	scalers  []*autoscalingv2.HorizontalPodAutoscaler
	policies []*networkingv1.NetworkPolicy
	names    map[string]bool // "Kind/name"
	replicas map[string]*int32
}

// build runs Kustomize on a folder and decodes what it says: a field that
// Kubernetes does not know, or of another type, is an error.
func build(t *testing.T, dir string) *cluster {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, policyv1.AddToScheme,
		autoscalingv2.AddToScheme, networkingv1.AddToScheme, schedulingv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	c := &cluster{names: map[string]bool{}, replicas: map[string]*int32{}}
	for _, r := range made.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, kind, err := strict.Decode(text, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", r.CurId(), err)
			continue
		}
		if namespaced := kind.Kind != "Namespace" && kind.Kind != "PriorityClass"; namespaced != (r.GetNamespace() == "catalog") {
			t.Errorf("%s is in the namespace %q", r.CurId(), r.GetNamespace())
		}
		c.names[kind.Kind+"/"+r.GetName()] = true
		c.add(object)
	}
	return c
}

func (c *cluster) add(object runtime.Object) {
	switch o := object.(type) {
	case *appsv1.Deployment:
		c.pods = append(c.pods, pod{"Deployment", o.Name, o.Spec.Template.Labels, o.Spec.Template.Spec})
		c.replicas[o.Name] = o.Spec.Replicas
	case *batchv1.CronJob:
		t := o.Spec.JobTemplate.Spec.Template
		c.pods = append(c.pods, pod{"CronJob", o.Name, t.Labels, t.Spec})
	case *corev1.Service:
		c.services = append(c.services, o)
	case *policyv1.PodDisruptionBudget:
		c.budgets = append(c.budgets, o)
	case *autoscalingv2.HorizontalPodAutoscaler:
		c.scalers = append(c.scalers, o)
	case *networkingv1.NetworkPolicy:
		c.policies = append(c.policies, o)
	}
}

// selected returns the pods of the deployments that a selector means.
func (c *cluster) selected(t *testing.T, s *metav1.LabelSelector) (found []pod) {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.pods {
		if selector.Matches(p.labels) {
			found = append(found, p)
		}
	}
	return found
}

// port reports whether a pod has a port of that name or number.
func (p pod) port(want intstr.IntOrString) bool {
	for _, c := range p.spec.Containers {
		for _, has := range c.Ports {
			if want.StrVal != "" && has.Name == want.StrVal || want.StrVal == "" && has.ContainerPort == want.IntVal {
				return true
			}
		}
	}
	return false
}

func TestManifests(t *testing.T) {
	for dir, want := range map[string][]string{
		"base":             {"Deployment/serve", "Deployment/index", "Deployment/gateway", "Deployment/placeholder", "CronJob/import", "CronJob/prune"},
		"overlays/example": {"Deployment/serve", "Deployment/index", "CronJob/import"},
		"overlays/canary":  {"Deployment/serve", "Deployment/serve-canary"},
	} {
		t.Run(dir, func(t *testing.T) {
			c := build(t, dir)
			for _, name := range want {
				if !c.names[name] {
					t.Errorf("there is no %s", name)
				}
			}
			for _, p := range c.pods {
				checkPod(t, c, p)
			}
			checkServices(t, c)
			checkDisruptions(t, c)
			checkNetwork(t, c)
			if dir != "base" {
				checkPools(t, c)
			}
		})
	}
}

// checkPod holds a pod to what all of them promise.
func checkPod(t *testing.T, c *cluster, p pod) {
	t.Helper()
	fault := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s %s: %s", p.kind, p.name, fmt.Sprintf(format, args...))
	}
	s := p.spec
	if s.SecurityContext == nil || s.SecurityContext.RunAsNonRoot == nil || !*s.SecurityContext.RunAsNonRoot || s.SecurityContext.SeccompProfile == nil {
		fault("may run as root, or without seccomp")
	}
	if s.AutomountServiceAccountToken == nil || *s.AutomountServiceAccountToken || !c.names["ServiceAccount/"+s.ServiceAccountName] {
		fault("has a token for Kubernetes, or the account %q, which is not there", s.ServiceAccountName)
	}
	if s.PriorityClassName != "" && !c.names["PriorityClass/"+s.PriorityClassName] {
		fault("has the priority %q, which is not there", s.PriorityClassName)
	}
	if p.labels["pool"] == "" {
		fault("is of no pool")
	}
	volumes := map[string]bool{}
	for _, v := range s.Volumes {
		volumes[v.Name] = true
		if v.EmptyDir != nil && v.EmptyDir.SizeLimit == nil {
			fault("the volume %s may fill the node's disk", v.Name)
		}
	}
	for _, k := range s.Containers {
		if _, tag, ok := strings.Cut(k.Image[strings.LastIndex(k.Image, "/")+1:], ":"); !ok || tag == "latest" {
			fault("the image %q is not pinned", k.Image)
		}
		if k.Resources.Requests.Cpu().IsZero() || k.Resources.Requests.Memory().IsZero() || k.Resources.Limits.Memory().IsZero() {
			fault("asks for no resources, or has no limit of memory")
		}
		x := k.SecurityContext
		if x == nil || x.AllowPrivilegeEscalation == nil || *x.AllowPrivilegeEscalation || x.ReadOnlyRootFilesystem == nil || !*x.ReadOnlyRootFilesystem ||
			x.Capabilities == nil || !slices.Contains(x.Capabilities.Drop, "ALL") {
			fault("the container %s may more than it needs", k.Name)
		}
		for _, m := range k.VolumeMounts {
			if !volumes[m.Name] {
				fault("mounts %s, which is not there", m.Name)
			}
		}
		if len(k.Ports) > 0 && (k.ReadinessProbe == nil || k.LivenessProbe == nil) {
			fault("listens, but has no probes")
		}
		for _, probe := range []*corev1.Probe{k.ReadinessProbe, k.LivenessProbe, k.StartupProbe} {
			if probe != nil && (probe.HTTPGet == nil || !p.port(probe.HTTPGet.Port) || !slices.Contains([]string{"/livez", "/readyz", "/healthz"}, probe.HTTPGet.Path)) {
				fault("a probe asks at a port or for a path that is not there")
			}
		}
		for _, e := range k.EnvFrom {
			if ref := e.ConfigMapRef; ref != nil && !c.names["ConfigMap/"+ref.Name] {
				fault("takes its environment from %q, which is not there", ref.Name)
			}
		}
		listens := map[string]bool{}
		for _, arg := range k.Args {
			if flag, address, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(address, ":") {
				listens[address] = true
				if !p.port(intstr.Parse(address[1:])) {
					fault("%s is no port of the container", flag)
				}
			}
		}
		if len(listens) != len(k.Ports) {
			fault("has %d ports and listens on %d", len(k.Ports), len(listens))
		}
	}
}

func checkServices(t *testing.T, c *cluster) {
	t.Helper()
	if len(c.services) == 0 {
		t.Error("there are no services")
	}
	for _, s := range c.services {
		found := c.selected(t, &metav1.LabelSelector{MatchLabels: s.Spec.Selector})
		if len(found) == 0 {
			t.Errorf("the service %s selects nothing", s.Name)
		}
		for _, p := range found {
			for _, port := range s.Spec.Ports {
				if !p.port(port.TargetPort) {
					t.Errorf("the service %s leads to the port %s, which %s has not", s.Name, port.TargetPort.String(), p.name)
				}
			}
		}
	}
}

// checkDisruptions: what has several pods has a budget, and a scaler has its
// deployment, whose replicas nobody else sets.
func checkDisruptions(t *testing.T, c *cluster) {
	t.Helper()
	scaled := map[string]bool{}
	for _, s := range c.scalers {
		name := s.Spec.ScaleTargetRef.Name
		scaled[name] = true
		if replicas, ok := c.replicas[name]; !ok || replicas != nil {
			t.Errorf("%s is scaled, and is not there or has replicas of its own", name)
		}
		if s.Spec.MinReplicas == nil || *s.Spec.MinReplicas < 2 || s.Spec.MaxReplicas <= *s.Spec.MinReplicas {
			t.Errorf("%s is scaled between odd limits", name)
		}
	}
	guarded := map[string]bool{}
	for _, b := range c.budgets {
		if b.Spec.MaxUnavailable == nil {
			t.Errorf("the budget %s would keep nodes from being drained", b.Name)
		}
		for _, p := range c.selected(t, b.Spec.Selector) {
			guarded[p.name] = true
		}
	}
	for name, replicas := range c.replicas {
		if (scaled[name] || replicas != nil && *replicas > 1) && !guarded[name] {
			t.Errorf("%s has no disruption budget", name)
		}
	}
	if !scaled["serve"] {
		t.Error("serve is not scaled")
	}
}

// checkNetwork: everything is closed by default, and each rule opens a port
// that is there.
func checkNetwork(t *testing.T, c *cluster) {
	t.Helper()
	closed := false
	opened := map[string]bool{}
	for _, n := range c.policies {
		found := c.selected(t, &n.Spec.PodSelector)
		if len(found) == 0 {
			t.Errorf("the policy %s is for nobody", n.Name)
		}
		all := len(n.Spec.PodSelector.MatchLabels)+len(n.Spec.PodSelector.MatchExpressions) == 0
		closed = closed || all && len(n.Spec.PolicyTypes) == 2 && len(n.Spec.Ingress)+len(n.Spec.Egress) == 0
		for _, rule := range n.Spec.Ingress {
			if len(rule.From) == 0 {
				t.Errorf("the policy %s lets everybody in", n.Name)
			}
			for _, port := range rule.Ports {
				for _, p := range found {
					opened[p.name+port.Port.String()] = true
					if !p.port(*port.Port) {
						t.Errorf("the policy %s opens the port %s, which %s has not", n.Name, port.Port, p.name)
					}
				}
			}
		}
	}
	if !closed {
		t.Error("nothing is closed by default")
	}
	for _, want := range []string{"servehttp", "serveprivate", "gatewayhttp"} {
		if !opened[want] {
			t.Errorf("nobody can reach %s", want)
		}
	}
}

// checkPools: an import and what serves never meet on a node.
func checkPools(t *testing.T, c *cluster) {
	t.Helper()
	for _, p := range c.pods {
		pool := p.spec.NodeSelector["catalog-pool"]
		if pool == "" || pool != p.labels["pool"] || len(p.spec.Tolerations) != 1 || p.spec.Tolerations[0].Value != pool {
			t.Errorf("%s is of the pool %q and runs in %q", p.name, p.labels["pool"], pool)
		}
	}
}

// TestStrict shows that the checks above can fail.
func TestStrict(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := appsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	for _, text := range []string{
		"apiVersion: apps/v1\nkind: Deployment\nspec: {replica: 1}\n",
		"apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: many}\n",
		"apiVersion: apps/v2\nkind: Deployment\n",
		"apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1, replicas: 2}\n",
	} {
		if _, _, err := strict.Decode(bytes.TrimSpace([]byte(text)), nil, nil); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
